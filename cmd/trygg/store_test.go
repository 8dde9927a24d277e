package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trygg/store/storetest"
)

// command runs a command as a person types it, with settings of its own.
func command(t *testing.T, set map[string]string, args ...string) (code int, out string) {
	t.Helper()
	for k, v := range set {
		args = append(args, "--set", k+"="+v)
	}
	var b safeBuffer
	code = run(context.Background(), args, &b, &b)
	return code, b.String()
}

func TestStoreCommands(t *testing.T) {
	t.Run("while the program runs on one file, they ask it over its socket", func(t *testing.T) {
		r := start(t, nil)
		p := visit(t, r).press("next").press("b10").press("skip")
		set := map[string]string{"TRYGG_DATA_DIR": r.cfg.DataDir}
		if code, out := command(t, set, "store", "status"); code != 0 || !strings.Contains(out, "embedded") || !strings.Contains(out, "trygg.db") {
			t.Errorf("status: %d %s", code, out)
		}
		if code, out := command(t, set, "store", "drop-children"); code != 0 || !strings.Contains(out, "records about children removed") || strings.HasPrefix(out, "0 ") {
			t.Errorf("drop-children: %d %s", code, out)
		}
		p.press("rights").sees("Jeg er en robot")
		info, err := os.Stat(r.cfg.socket())
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("socket %v %v", info, err)
		}
	})
	t.Run("while nothing runs, they open the file themselves", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "data")
		if code, out := command(t, map[string]string{"TRYGG_DATA_DIR": dir}, "store", "status"); code != 0 || !strings.Contains(out, "embedded") {
			t.Errorf("status: %d %s", code, out)
		}
	})
	t.Run("an unsafe Redis is told at the start and by status", func(t *testing.T) {
		s := storetest.Redis(t, storetest.Args("--maxmemory-policy", "allkeys-lru"))
		r := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()})
		if all := r.out.String(); !strings.Contains(all, "noeviction") || !strings.Contains(all, "appendonly") {
			t.Errorf("the start says %s", all)
		}
		code, out := command(t, map[string]string{"TRYGG_DATA_DIR": r.cfg.DataDir, "TRYGG_REDIS_URL": s.URL(), "TRYGG_KEYS_FILE": r.cfg.KeysFile}, "store", "status")
		if code != 0 || !strings.Contains(out, "UNSAFE") {
			t.Errorf("status: %d %s", code, out)
		}
	})
	t.Run("two programs do not share a folder", func(t *testing.T) {
		r := start(t, nil)
		_, err := newService(t.Context(), r.cfg, &safeBuffer{}, &safeBuffer{})
		if err == nil || !strings.Contains(err.Error(), "TRYGG_DATA_DIR") {
			t.Errorf("got %v", err)
		}
	})
}

func TestKeysCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"keys", "new", file}, 0, "made"},
		{[]string{"keys", "new", file}, 1, "exist"},
		{[]string{"keys", "rotate", "add", file}, 0, "key 2 added"},
		{[]string{"keys", "rotate", "activate", file, "2"}, 0, "key 2 seals"},
		{[]string{"keys", "rotate", "retire", file, "2"}, 1, "active"},
		{[]string{"keys", "rotate", "retire", file, "1"}, 0, "gone"},
	} {
		code, out := command(t, nil, tt.args...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%v: %d %s, want %d %q", tt.args, code, out, tt.code, tt.want)
		}
	}
}

func TestCardExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "card")
	if code, out := command(t, nil, "card", "export", dir); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"112", "116 111", `lang="ar"`, `dir="rtl"`, `lang="so"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if strings.Contains(string(b), "<script") {
		t.Error("a script on the page")
	}
}
