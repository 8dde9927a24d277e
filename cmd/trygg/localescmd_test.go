package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trygg/locales"
)

// words makes a content folder with the texts of the repository, so that
// commands can write to it.
func words(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "locales"), locales.Files); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "locales/pl/rights.yaml"), rightsInPolish)
	return dir
}

// rightsInPolish is a file that has only just been begun.
const rightsInPolish = `# Begun by hand.
file: {status: draft, reviewed_by: "", reviewed_on: ""}

# The menu
rights.menu.leave: Koniec tutaj   # a remark
`

func exported(t testing.TB, c localesExportCmd, tag string) [][]string {
	t.Helper()
	c.To = filepath.Join(t.TempDir(), tag+".csv")
	if c.Only == "" {
		c.Only = "all"
	}
	if err := c.Run(&bytes.Buffer{}, Config{}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(c.To)
	if err != nil {
		t.Fatal(err)
	}
	return rowsOf(t, raw)
}

func rowsOf(t testing.TB, raw []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte(byteOrderMark)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// sent writes a table as a translator sends it.
func sent(t testing.TB, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows)
	file := filepath.Join(t.TempDir(), "sent.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func rowOf(t testing.TB, rows [][]string, id string) []string {
	t.Helper()
	for _, r := range rows {
		if r[0] == id {
			return r
		}
	}
	t.Fatalf("no row %q", id)
	return nil
}

// tree gives every file below a folder.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLocalesExport(t *testing.T) {
	dir := words(t)
	rows := exported(t, localesExportCmd{Content: dir}, "pl")
	if d := cmp.Diff([]string{"id", "source nb", "text pl", "room", "where", "note", "status"}, rows[0]); d != "" {
		t.Error(d)
	}
	danger := rowOf(t, rows, "card.danger")
	if !strings.Contains(danger[1], "{{.number_112}}") || !strings.Contains(danger[2], "{{.number_112}}") || danger[4] != "help card" || !strings.Contains(danger[5], "Keep {{.number_112}} and {{.number_113}} as it is") || danger[6] != "draft" {
		t.Errorf("got %q", danger)
	}
	missing := rowOf(t, rows, "rights.menu")
	if missing[2] != "" || missing[6] != "missing" || !strings.Contains(missing[4], "screen rights/menu") || !strings.Contains(missing[3], "300 characters") {
		t.Errorf("got %q", missing)
	}
	label := rowOf(t, rows, "rights.menu.voice")
	if label[3] != "40 characters" || !strings.Contains(label[4], "button on rights/menu") {
		t.Errorf("got %q", label)
	}
	for _, open := range exported(t, localesExportCmd{Content: dir, Only: "open"}, "pl")[1:] {
		if open[6] != "missing" && open[6] != "stale" {
			t.Errorf("not open: %q", open)
		}
	}

	all := t.TempDir()
	if err := (localesExportCmd{To: all, Content: dir, Only: "all", BOM: true, Semicolon: true}).Run(&bytes.Buffer{}, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"nn", "en", "se", "uk", "pl", "ar", "so"} {
		raw, err := os.ReadFile(filepath.Join(all, tag+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(raw, []byte(byteOrderMark+"id;source nb;text "+tag+";")) {
			t.Errorf("%s begins %q", tag, raw[:40])
		}
		if tab, ps := parseTable("x", raw); tab == nil || len(ps) > 0 || tab.tag != tag || len(tab.rows) < 100 {
			t.Errorf("%s cannot be read back: %v", tag, ps)
		}
	}
}

// What is exported and comes back as it was changes no byte.
func TestLocalesImportOfNothingNew(t *testing.T) {
	dir := words(t)
	was := tree(t, dir)
	for _, tag := range []string{"nn", "en", "se", "uk", "pl", "ar", "so"} {
		file := sent(t, exported(t, localesExportCmd{Content: dir}, tag))
		var out bytes.Buffer
		if err := (localesImportCmd{File: file, Content: dir}).Run(&out, Config{}); err != nil {
			t.Errorf("%s: %v\n%s", tag, err, out.String())
		}
	}
	if d := cmp.Diff(was, tree(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestLocalesImport(t *testing.T) {
	dir := words(t)
	was := tree(t, dir)
	rows := exported(t, localesExportCmd{Content: dir}, "pl")
	rowOf(t, rows, "rights.menu")[2] = "O czym chcesz przeczytać?"
	rowOf(t, rows, "rights.menu.voice")[2] = "Mówić: co myślę" // a colon must be quoted
	rowOf(t, rows, "button.help")[2] = "Pomoc!"
	file := sent(t, rows)

	var out bytes.Buffer
	if err := (localesImportCmd{File: file, Content: dir, Look: true}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if d := cmp.Diff(was, tree(t, dir)); d != "" {
		t.Errorf("looking wrote: %s", d)
	}
	out.Reset()
	if err := (localesImportCmd{File: file, Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"2 new texts", "1 changed text", "locales/pl/rights.yaml is written", "locales/pl/active.yaml is written", "locales/sources/pl.txt is written"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	now := tree(t, dir)
	if d := cmp.Diff(strings.Replace(was["locales/pl/active.yaml"], "button.help: Pomoc teraz", "button.help: Pomoc!", 1), now["locales/pl/active.yaml"]); d != "" {
		t.Errorf("more than the text was changed: %s", d)
	}
	want := strings.Replace(rightsInPolish, "# The menu\n", "# The menu\nrights.menu: O czym chcesz przeczytać?\nrights.menu.voice: \"Mówić: co myślę\"\n", 1)
	if d := cmp.Diff(want, now["locales/pl/rights.yaml"]); d != "" {
		t.Error(d)
	}
	s, problems := loadSnapshot(dir)
	if s == nil {
		t.Fatal(problems)
	}
	if got, tag := s.texts.Lookup("pl", "rights.menu", ""); got != "O czym chcesz przeczytać?" || tag != "pl" {
		t.Errorf("got %q in %s", got, tag)
	}
	// The same once more is nothing new.
	out.Reset()
	if err := (localesImportCmd{File: file, Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(now, tree(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestLocalesImportRefuses(t *testing.T) {
	dir := words(t)
	was := tree(t, dir)
	w, err := readWording(openTrees(dir))
	if err != nil {
		t.Fatal(err)
	}
	takes := func(t *testing.T, table string) (string, error) {
		var out bytes.Buffer
		err := (localesImportCmd{File: "sent.csv"}).take(&out, w, []byte(table))
		return out.String(), err
	}
	for _, tt := range []struct {
		name, id, text, want string
	}{
		{"an unknown text", "rights.meny", "Tekst", `"rights.meny" is no text there is; did you mean "rights.menu"?`},
		{"a number that got lost", "card.danger", "Ring politiet.", "lacks {{.number_112}}"},
		{"a number of its own", "rights.menu", "Zadzwoń 123 456 78", "holds a number of its own"},
		{"a placeholder nobody knows", "rights.menu", "Zadzwoń {{.number_nobody}}", `"number_nobody"`},
		{"a label that is too long", "rights.menu.voice", strings.Repeat("długie ", 7), "characters: a button has room for 40"},
		{"a message that is too long", "rights.menu", strings.Repeat("Długie zdanie jest tutaj. ", 20), "at most 300"},
		{"a direction mark", "rights.menu", "Tekst \u202egnp", "U+202E"},
		{"a mark in a language that is not turned", "rights.menu", "Tekst\u200e", "U+200E"},
		{"two alphabets in a word", "rights.menu", "Tеkst", "two alphabets"},
		{"a plural form there is none of", "rights.menu[two]", "Tekst", `"two" is no plural form`},
		{"an address", "rights.menu", "Zobacz www.example.com", "address of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := takes(t, "id,text pl\nmenu.main,Co?\n"+tt.id+",\""+tt.text+"\"\n")
			if err == nil || !strings.Contains(out, tt.want) || !strings.Contains(out, "sent.csv:3: ") {
				t.Errorf("want %q on line 3, got %v\n%s", tt.want, err, out)
			}
		})
	}
	for _, tt := range []struct{ name, table, want string }{
		{"no table", "hello", "want columns named"},
		{"a language there is none of", "id,text xx\nrights.menu,A\n", `"xx" is not a language here`},
		{"the source", "id,text nb\nrights.menu,A\n", "nb is what the others are made from"},
		{"not UTF-8", "id,text pl\nrights.menu,\xe6\n", "is not UTF-8"},
		{"UTF-16", "\xff\xfei\x00d\x00", "is not UTF-8"},
		{"a text twice", "id,text pl\nrights.menu,A\nrights.menu,B\n", `"rights.menu" stands twice, first on line 2`},
		{"a quote that does not end", "id,text pl\nrights.menu,\"A\n", "is no table from here on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := takes(t, tt.table)
			if err == nil || !strings.Contains(out+err.Error(), tt.want) {
				t.Errorf("want %q, got %v\n%s", tt.want, err, out)
			}
		})
	}
	if d := cmp.Diff(was, tree(t, dir)); d != "" {
		t.Errorf("something was written: %s", d)
	}
}

func TestLocalesReviewAndStale(t *testing.T) {
	dir := words(t)
	rows := exported(t, localesExportCmd{Content: dir}, "so")
	file := sent(t, rows)
	var out bytes.Buffer
	if err := (localesImportCmd{File: file, Content: dir, ReviewedBy: "Ayaan Test", ReviewedOn: date(t, "2026-11-01")}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	card := filepath.Join(dir, "locales/so/card.yaml")
	if b, _ := os.ReadFile(card); !strings.Contains(string(b), "file: {status: approved, reviewed_by: \"Ayaan Test\", reviewed_on: \"2026-11-01\"}\n") {
		t.Errorf("not approved:\n%.200s", b)
	}
	if got := rowOf(t, exported(t, localesExportCmd{Content: dir}, "so"), "card.danger"); got[6] != "approved" {
		t.Errorf("got %q", got)
	}
	// The source changes: the translation is stale, and a table made before counts so, too.
	nb := filepath.Join(dir, "locales/nb/card.yaml")
	b, err := os.ReadFile(nb)
	if err != nil {
		t.Fatal(err)
	}
	put(t, nb, strings.Replace(string(b), "card.danger: \"Er du", "card.danger: \"Hei. Er du", 1))
	if got := rowOf(t, exported(t, localesExportCmd{Content: dir}, "so"), "card.danger"); got[6] != "stale" {
		t.Errorf("got %q", got)
	}
	old := rowOf(t, rows, "card.danger")
	old[2] = "Hadda. " + old[2]
	out.Reset()
	if err := (localesImportCmd{File: sent(t, rows), Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"1 changed text", "1 text made from a source that has changed since", "so/card.yaml was approved; it is a draft again"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	fresh := exported(t, localesExportCmd{Content: dir}, "so")
	if got := rowOf(t, fresh, "card.danger"); got[6] != "stale" || !strings.HasPrefix(got[2], "Hadda. ") {
		t.Errorf("got %q", got)
	}
	rowOf(t, fresh, "card.danger")[2] += " Hadda."
	if err := (localesImportCmd{File: sent(t, fresh), Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if got := rowOf(t, exported(t, localesExportCmd{Content: dir}, "so"), "card.danger"); got[6] != "draft" {
		t.Errorf("got %q", got)
	}
}

func TestLocalesStatus(t *testing.T) {
	dir := words(t)
	var out bytes.Buffer
	if err := (localesStatusCmd{Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Bokmål", "Soomaali", "nobody yet", "done, nb stands in for the rest"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := (localesStatusCmd{Content: dir, Lang: "pl"}).Run(&out, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pl/card.yaml", "pl/rights.yaml", "draft"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	if err := (localesStatusCmd{Content: dir, Lang: "xx"}).Run(&out, Config{}); err == nil {
		t.Error("a language there is none of was taken")
	}
}

// A new language is a line in languages.yaml; its table is whole and comes back
// as files.
func TestLocalesNewLanguage(t *testing.T) {
	dir := words(t)
	file := filepath.Join(dir, "locales/languages.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, string(b)+"- {tag: ti, name: ትግርኛ, fallback: [en, nb]}\n")
	var status bytes.Buffer
	if err := (localesStatusCmd{Content: dir, Lang: "ti"}).Run(&status, Config{}); err != nil || !strings.Contains(status.String(), "no file yet") {
		t.Errorf("%v\n%s", err, status.String())
	}
	rows := exported(t, localesExportCmd{Content: dir}, "ti")
	nb := map[string]string{}
	for _, r := range rows[1:] {
		if r[6] != "missing" {
			t.Errorf("got %q", r)
		}
		if id, _, band := strings.Cut(r[0], "@"); band && id == "card.adult" {
			t.Errorf("a new language needs one text for all bands: %q", r)
		}
		r[2] = "«" + strings.Join(braces.FindAllString(r[1], -1), " ") + "»"
		if r[2] == "«»" {
			r[2] = "ሰላም"
		}
		nb[r[0]] = r[2]
	}
	var out bytes.Buffer
	if err := (localesImportCmd{File: sent(t, rows), Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%.3000s", err, out.String())
	}
	s, problems := loadSnapshot(dir)
	if s == nil {
		t.Fatal(problems)
	}
	for id, want := range nb {
		id, band, _ := strings.Cut(id, "@")
		if got, ok := s.texts.Text("ti", id, band); !ok || !strings.Contains(want, "{{") && got != want {
			t.Errorf("%s: want %q, got %q", id, want, got)
		}
	}
}

func TestLocalesPluralForms(t *testing.T) {
	dir := words(t)
	nb := filepath.Join(dir, "locales/nb/start.yaml")
	b, err := os.ReadFile(nb)
	if err != nil {
		t.Fatal(err)
	}
	put(t, nb, string(b)+"start.count:\n  one: \"{{.n}} barn\"\n  other: \"{{.n}} barn til\"\n")
	rows := exported(t, localesExportCmd{Content: dir}, "pl")
	for _, form := range []string{"one", "few", "many", "other"} {
		r := rowOf(t, rows, "start.count["+form+"]")
		if !strings.Contains(r[1], "{{.n}} barn") {
			t.Errorf("got %q", r)
		}
		r[2] = "{{.n}} dzieci " + form
	}
	var out bytes.Buffer
	if err := (localesImportCmd{File: sent(t, rows), Content: dir}).Run(&out, Config{}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	r := readContent(openTrees(dir))
	if len(r.findings) > 0 {
		t.Fatal(r.findings)
	}
	for n, want := range map[int]string{1: "1 dzieci one", 3: "3 dzieci few", 5: "5 dzieci many"} {
		if got := r.texts.Count("pl", "start.count", n); got != want {
			t.Errorf("%d: want %q, got %q", n, want, got)
		}
	}
	// A form that is left out is told.
	short := [][]string{{"id", "text uk"}, {"start.count[one]", "{{.n}} дитина"}, {"start.count[other]", "{{.n}} дитини"}}
	out.Reset()
	if err := (localesImportCmd{File: sent(t, short), Content: dir}).Run(&out, Config{}); err == nil || !strings.Contains(out.String(), "lacks the plural forms few and many") {
		t.Errorf("%v\n%s", err, out.String())
	}
	m := newMessageFile(nil, b)
	m.set("start.count", "x", map[string]string{"other": "c", "few": "b", "one": "a: b"})
	if got := string(m.bytes()); !strings.Contains(got, "start.count:\n  one: \"a: b\"\n  few: b\n  other: c\n") {
		t.Errorf("got\n%s", got)
	}
}

// A spreadsheet must not take a text for a formula (S52), and what it was comes
// back.
func TestLocalesGuard(t *testing.T) {
	for _, s := range []string{"=1+1", "+47", "-x", "@sum", "'=x", "'x", "\tx", "a=b", ""} {
		g := guard(s)
		if g != "" && strings.ContainsRune("=+-@\t\r", rune(g[0])) {
			t.Errorf("%q is written %q", s, g)
		}
		if got := unguard(g); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
	if got := unguard("'n dag"); got != "'n dag" {
		t.Errorf("a translator's apostrophe is lost: %q", got)
	}
}

// Any text is written so that the same text is read again, and no other line of
// the file changes.
func TestLocalesAnyTextIsWrittenAsItIs(t *testing.T) {
	raw, err := os.ReadFile("../../locales/nb/card.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := newMessageFile(raw, raw).bytes(); !bytes.Equal(got, raw) {
		t.Error(cmp.Diff(string(raw), string(got)))
	}
	before, _ := readLocale(t, raw)
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.TrimSpace(rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("aåß :#-'\"{}[]&*!|>%@`,?.\\\n\tж=~0")), rapid.Rune())).Draw(rt, "text"))
		text = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\ufeff' || r == '\u2028' || r == '\u2029' || r == '\u0085' || r == '\ufffd' {
				return -1
			}
			return r
		}, text)
		text = strings.TrimSpace(text)
		if text == "" || strings.Contains(text, "{{") || strings.Contains(text, "}}") {
			return
		}
		m := newMessageFile(raw, raw)
		m.set("card.adult@13-15", text, nil)
		after, ps := readLocale(rt, m.bytes())
		if len(ps) > 0 {
			rt.Fatalf("%q: %v", text, ps)
		}
		for key, want := range before {
			if key == "card.adult@13-15" {
				want = text
			}
			if after[key] != want {
				rt.Fatalf("%q: %s: want %q, got %q", text, key, want, after[key])
			}
		}
	})
}

type fataler interface{ Fatalf(string, ...any) }

// readLocale gives the raw texts of a message file of nb.
func readLocale(t fataler, raw []byte) (map[string]string, []locales.Problem) {
	b, ps := locales.Check(oneFile{"languages.yaml": []byte("- {tag: nb, name: Bokmål, always: true}\n"), "nb/card.yaml": raw}.fs(), nil)
	out := map[string]string{}
	for _, e := range b.Entries("nb") {
		out[e.Key()] = e.Raw
	}
	if len(out) == 0 {
		t.Fatalf("nothing read: %v", ps)
	}
	return out, ps
}

func FuzzLocalesTable(f *testing.F) {
	f.Add([]byte("id,source nb,text pl\nrights.menu,a,b\n"))
	f.Add([]byte("\ufeffid;text pl\n\"a\nb\";'=c\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tab, problems := parseTable("x.csv", raw)
		if tab == nil && len(problems) == 0 {
			t.Error("neither a table nor a problem")
		}
		for _, p := range problems {
			_ = fmt.Sprint(p)
		}
	})
}

type oneFile map[string][]byte

func (o oneFile) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, b := range o {
		m[name] = &fstest.MapFile{Data: b}
	}
	return m
}

func date(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t testing.TB, file, text string) {
	t.Helper()
	if err := writeFile(file, []byte(text)); err != nil {
		t.Fatal(err)
	}
}
