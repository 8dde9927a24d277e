package store

import (
	"encoding/binary"
	"errors"
	"time"

	"trygg/bot"
)

// A hide list is stored as variable-length numbers: the live message, how many
// messages, then for each the difference of its id and of its second to the one
// before. 600 messages of one chat are about 2 KB.

var errTraces = errors.New("not a hide list")

// formatTraces gives the bytes of a list and when it ends: 48 hours after its
// newest message. What is older is left out, as no message can be removed then;
// of more than MaxTraces the newest stay. An empty list ends at once.
func formatTraces(t bot.Traces, now time.Time) ([]byte, time.Time) {
	life := KindTraces.Row().Life
	var newest time.Time
	kept := make([]bot.Trace, 0, len(t.Messages))
	for _, m := range t.Messages {
		if !m.At.Add(life).After(now) {
			continue
		}
		if m.At.After(now) {
			m.At = now // another replica's clock may be ahead
		}
		if m.At.After(newest) {
			newest = m.At
		}
		kept = append(kept, m)
	}
	if over := len(kept) - bot.MaxTraces; over > 0 {
		kept = kept[over:]
	}
	var until time.Time
	switch {
	case len(kept) > 0:
		until = newest.Add(life)
	case t.Live != 0:
		until = now.Add(life)
	default:
		return nil, time.Time{}
	}
	b := binary.AppendVarint(make([]byte, 0, 16+4*len(kept)), int64(t.Live))
	b = binary.AppendUvarint(b, uint64(len(kept)))
	var id, at int64
	for _, m := range kept {
		b = binary.AppendVarint(b, int64(m.ID)-id)
		b = binary.AppendVarint(b, m.At.Unix()-at)
		id, at = int64(m.ID), m.At.Unix()
	}
	return b, until
}

// parseTraces reads a list back, without what has grown too old.
func parseTraces(b []byte, now time.Time) (bot.Traces, error) {
	bad := false
	number := func() int64 {
		n, size := binary.Varint(b)
		if size <= 0 {
			bad = true
			return 0
		}
		b = b[size:]
		return n
	}
	t := bot.Traces{Live: int(number())}
	n, size := binary.Uvarint(b)
	if bad || size <= 0 || n > bot.MaxTraces {
		return bot.Traces{}, errTraces
	}
	b = b[size:]
	var id, at int64
	for range n {
		id += number()
		at += number()
		if bad {
			return bot.Traces{}, errTraces
		}
		if m := time.Unix(at, 0); m.Add(KindTraces.Row().Life).After(now) {
			t.Messages = append(t.Messages, bot.Trace{ID: int(id), At: m})
		}
	}
	if len(b) != 0 {
		return bot.Traces{}, errTraces
	}
	return t, nil
}
