package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"

	"trygg/flows"
	"trygg/store"
)

// live says how many chats stand in a state that new content does not have, and
// where each goes. It counts and names places; nothing of any one chat is shown,
// and nothing is logged.
func live(ctx context.Context, out io.Writer, cfg Config, t trees) error {
	r := readContent(t)
	if len(r.findings) > 0 {
		return fmt.Errorf("the content has %d problems: run trygg check", len(r.findings))
	}
	// The running process has the store, so the conversations go to it.
	packed, err := pack(t.open("flows"))
	if err != nil {
		return err
	}
	text, err := askWith(ctx, cfg, http.MethodPost, "/check/live", bytes.NewReader(packed))
	if errors.Is(err, errNotRunning) {
		s, err := openState(ctx, cfg, out)
		if err != nil {
			return err
		}
		defer s.Close()
		if text, err = standing(ctx, s.chats, r.library); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	fmt.Fprintln(out, text)
	return nil
}

// checkLive answers another process that has new content and asks about it.
func (s *service) checkLive(w http.ResponseWriter, r *http.Request) {
	text, err := func() (string, error) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
		if err != nil {
			return "", err
		}
		files, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return "", err
		}
		library, problems := flows.Load(files, named(s.current().data))
		if len(problems) > 0 {
			return "", errors.New("the conversations cannot be read: run trygg check")
		}
		return standing(r.Context(), s.state.chats, library)
	}()
	answer(w, text, err)
}

// pack puts conversations into one parcel.
func pack(content fs.FS) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	names, err := fs.Glob(content, "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(content, name)
		if err != nil {
			return nil, err
		}
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// standing counts the chats in states that a library does not have, and says
// where they go.
func standing(ctx context.Context, chats *store.Chats, library *flows.Library) (string, error) {
	type move struct{ from, to flows.Place }
	moves := map[move]int{}
	all, lost := 0, 0
	err := chats.Sessions(ctx, func(s flows.Session) {
		all++
		if to := library.Settle(s).Place; to != s.Place {
			lost++
			moves[move{s.Place, to}]++
		}
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d open %s, %d in a state this content does not have", all, plural(all, "chat", "chats"), lost)
	order := slices.SortedFunc(maps.Keys(moves), func(a, c move) int {
		return cmp.Or(strings.Compare(a.from.String(), c.from.String()), strings.Compare(a.to.String(), c.to.String()))
	})
	for _, m := range order {
		fmt.Fprintf(&b, "\n%6d in %s go to %s", moves[m], m.from, m.to)
	}
	return b.String(), nil
}
