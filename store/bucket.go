package store

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"time"

	"trygg/bot"
)

// Buckets shares out how often something may be done in a second among all
// processes (S53). It fulfils what bot/telegram asks for.
type Buckets struct {
	Store Store
	Rate  int // a second
}

// Draw takes up to most from the bucket of that name for the present second; 0 =
// it is empty now. It is drawn in blocks, so its two round trips serve many
// sends. Names are the program's own and hold no secret.
func (b Buckets) Draw(ctx context.Context, name string, most int, now time.Time) (int, error) {
	h := fnv.New64a()
	h.Write([]byte(name))
	k := Key{int(h.Sum64() % bot.Shards), KindBucket, string(h.Sum(nil))}
	for {
		rs, err := b.Store.Read(ctx, k)
		if err != nil {
			return 0, err
		}
		second, used := now.Unix(), 0
		if v := rs[0].Value; len(v) == 12 && int64(binary.BigEndian.Uint64(v)) == second {
			used = int(binary.BigEndian.Uint32(v[8:]))
		}
		n := min(most, b.Rate-used)
		if n <= 0 {
			return 0, nil
		}
		v := binary.BigEndian.AppendUint64(nil, uint64(second))
		v = binary.BigEndian.AppendUint32(v, uint32(used+n))
		batch := NewBatch(k.Shard, now)
		batch.Expect(rs[0].Version, k)
		batch.Put(k, v, now.Add(bucketLife))
		if err := b.Store.Commit(ctx, batch); err == nil {
			return n, nil
		} else if !errors.Is(err, ErrConflict) {
			return 0, err
		}
	}
}

const bucketLife = 10 * time.Second
