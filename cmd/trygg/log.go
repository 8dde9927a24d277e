package main

import (
	"context"
	"io"
	"log"
	"log/slog"
	"slices"
)

// allowed are the fields a log line may have; every other is dropped, whoever
// wrote it (S40).
var allowed = []string{"event", "class", "outcome", "took", "request", "trace", "status", "doing", "shard", "count", "method"}

// allowList is a slog.Handler that passes on only what is allowed, and of
// messages only our own short words.
type allowList struct{ next slog.Handler }

func newAllowList(next slog.Handler) slog.Handler { return allowList{next} }

func (h allowList) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h allowList) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, short(r.Message), 0)
	r.Attrs(func(a slog.Attr) bool {
		if slices.Contains(allowed, a.Key) {
			clean.AddAttrs(a)
		}
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h allowList) WithAttrs(as []slog.Attr) slog.Handler {
	as = slices.DeleteFunc(slices.Clone(as), func(a slog.Attr) bool { return !slices.Contains(allowed, a.Key) })
	return allowList{h.next.WithAttrs(as)}
}

func (h allowList) WithGroup(string) slog.Handler { return h }

// short passes one word; a longer message could hold anything.
func short(m string) string {
	for i, c := range m {
		if c == ' ' || i > 20 {
			return m[:i]
		}
	}
	return m
}

// quiet is for libraries that would log addresses.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// logWriter goes on when a line cannot be written, and counts it (F25).
type logWriter struct {
	w     io.Writer
	drops interface{ Inc() }
}

func (l *logWriter) Write(b []byte) (int, error) {
	if _, err := l.w.Write(b); err != nil {
		l.drops.Inc()
	}
	return len(b), nil
}
