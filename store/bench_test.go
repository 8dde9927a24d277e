package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"trygg/bot"
	"trygg/store"
	"trygg/store/storetest"
)

func BenchmarkSeal(b *testing.B) {
	ring := storetest.Ring(b)
	content, until := make([]byte, 400), storetest.Start.Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Seal(bind, until, content); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	ring := storetest.Ring(b)
	sealed, err := ring.Seal(bind, storetest.Start.Add(time.Hour), make([]byte, 400))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ring.Open(bind, storetest.Start, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPseudonym(b *testing.B) {
	ring, chat := storetest.Ring(b), storetest.Chat(1)
	b.ReportAllocs()
	for b.Loop() {
		if ring.Pseudonym(chat, 1) == "" {
			b.Fatal("no pseudonym")
		}
	}
}

// backends for benchmarks; the one in memory shows what Chats itself costs.
func backends(b *testing.B, run func(*testing.B, *store.Chats)) {
	open := func(b *testing.B, s store.Store) *store.Chats { return store.NewChats(s, storetest.Ring(b), nil) }
	b.Run("memory", func(b *testing.B) { run(b, open(b, storetest.NewMemory(nil))) })
	b.Run("embedded", func(b *testing.B) {
		run(b, open(b, openEmbedded(b, filepath.Join(b.TempDir(), "trygg.db"), nil)))
	})
	b.Run("redis", func(b *testing.B) { run(b, open(b, openRedis(b, storetest.Redis(b).URL(), nil))) })
	b.Run("redis with its append-only file synced", func(b *testing.B) {
		run(b, open(b, openRedis(b, storetest.Redis(b, storetest.AppendOnly()).URL(), nil)))
	})
}

func pressed(chat bot.ChatID, v bot.Version, update string) bot.Change {
	now := time.Now()
	return bot.Change{Chat: chat, Version: v, Session: session("menu", now), Until: now.Add(time.Hour), Update: update,
		Tidy: now.Add(15 * time.Minute), Show: &bot.Entry{Screen: "screen", At: now}}
}

func BenchmarkRead(b *testing.B) {
	backends(b, func(b *testing.B, c *store.Chats) {
		chat := storetest.Chat(1)
		if _, _, err := c.Commit(b.Context(), pressed(chat, bot.Version{}, "u")); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if got, err := c.Read(b.Context(), chat, bot.Want{Update: "u"}); err != nil || !got.Seen {
				b.Fatal(err)
			}
		}
	})
}

// A commit as a press on Telegram makes it: mark, session, tidy time, outbox,
// and the acknowledgement after it.
func BenchmarkCommit(b *testing.B) {
	backends(b, func(b *testing.B, c *store.Chats) {
		chat, n := storetest.Chat(1), 0
		var v bot.Version
		b.ReportAllocs()
		for b.Loop() {
			n++
			var id bot.EntryID
			var err error
			if v, id, err = c.Commit(b.Context(), pressed(chat, v, fmt.Sprint(n))); err != nil {
				b.Fatal(err)
			}
			if err := c.Shown(b.Context(), chat, id, v, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A whole press from many chats at once: read, commit, acknowledge.
func BenchmarkPressesOfMany(b *testing.B) {
	backends(b, func(b *testing.B, c *store.Chats) {
		var chats, updates atomic.Int64
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			ctx, chat := context.Background(), storetest.Chat(int(chats.Add(1)))
			for pb.Next() {
				update := fmt.Sprint(updates.Add(1))
				got, err := c.Read(ctx, chat, bot.Want{Update: update})
				if err != nil {
					b.Error(err)
					return
				}
				v, id, err := c.Commit(ctx, pressed(chat, got.Version, update))
				if err == nil {
					err = c.Shown(ctx, chat, id, v, nil)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
