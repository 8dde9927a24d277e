package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trygg/flows"
	"trygg/locales"
)

// localesCmd is `trygg locales`: what a translator needs, and what a translator
// sends back.
type localesCmd struct {
	Status localesStatusCmd `cmd:"" help:"Say of each language what is complete, missing, older than its source, and who has read it."`
	Export localesExportCmd `cmd:"" help:"Write a table for a translator, one for each language."`
	Import localesImportCmd `cmd:"" help:"Take a translator's table in, after checking every text in it."`
}

// wordTrees opens the content that the commands speak of: a folder that is
// named, or the repository one stands in, else what is compiled in.
func wordTrees(dir string, cfg Config) (trees, error) {
	if dir = cmp.Or(dir, cfg.ContentDir); dir != "" {
		return openTrees(dir), folder(dir)
	}
	if _, err := os.Stat(filepath.Join("locales", "languages.yaml")); err == nil {
		dir = "."
	}
	return openTrees(dir), nil
}

// wording is all texts as their files have them, and what each is for.
type wording struct {
	*reading
	tree  fs.FS
	nb    map[string]locales.Entry // by key
	where map[string]string        // ID -> the screens it stands on
	notes map[string]string        // key -> what its file in nb says of it
}

// readWording reads texts as far as they can be read. What is wrong with them is
// the check's to say.
func readWording(t trees) (*wording, error) {
	w := &wording{reading: readContent(t), tree: t.open("locales"), nb: map[string]locales.Entry{}, where: map[string]string{}, notes: map[string]string{}}
	if len(w.texts.Languages()) == 0 {
		return nil, errors.New("the languages cannot be read: run trygg check")
	}
	for _, e := range w.texts.Entries(locales.Source) {
		w.nb[e.Key()] = e
	}
	note := func(id, place string) {
		if !strings.Contains(w.where[id]+",", place+",") {
			w.where[id] = strings.TrimPrefix(w.where[id]+", "+place, ", ")
		}
	}
	for _, f := range w.library.Flows() {
		for _, s := range f.States {
			for i, id := range s.Say {
				place := "screen " + f.Name + "/" + s.Name
				if i > 0 {
					place += fmt.Sprintf(" (message %d)", i+1)
				}
				note(id, place)
			}
			for _, row := range s.Rows {
				for _, c := range row {
					id := f.Name + "." + s.Name + "." + c.Event
					if len(w.texts.Lacks(locales.Source, id)) == len(locales.Bands) {
						id = "button." + c.Event
					}
					note(id, "button on "+f.Name+"/"+s.Name)
				}
			}
		}
	}
	names, err := fs.Glob(w.tree, locales.Source+"/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := fs.ReadFile(w.tree, name)
		if err != nil {
			return nil, err
		}
		said := ""
		for _, c := range chunksOf(raw) {
			for _, line := range c.lead {
				if text, is := strings.CutPrefix(strings.TrimSpace(line), "#"); is {
					said = strings.TrimSpace(said + " " + strings.TrimSpace(text))
				} else {
					said = ""
				}
			}
			w.notes[c.key] = said
		}
	}
	return w, nil
}

// usedAt says where a text is met.
func (w *wording) usedAt(id string) string {
	if at := w.where[id]; at != "" {
		if n := strings.Count(at, ", "); n > 4 {
			first := strings.Split(at, ", ")[:3]
			return strings.Join(first, ", ") + fmt.Sprintf(" and %d more", n-2)
		}
		return at
	}
	switch head, _, _ := strings.Cut(id, "."); head {
	case "card":
		return "help card"
	case "web":
		return "web page"
	case "telegram":
		return "Telegram"
	case "topic":
		return "button after typed words"
	case "engine", "button":
		return "any screen"
	}
	return ""
}

// source gives the text in nb that a key of another language is made from.
func (w *wording) source(tag, key string) (locales.Entry, bool) {
	if e, ok := w.nb[key]; ok {
		return e, true
	}
	id, band, _ := strings.Cut(key, "@")
	if e, ok := w.nb[id]; ok {
		return e, true
	}
	if band == "" {
		bands := w.uses[id].Bands
		if bands == nil || slices.Contains(bands, flows.DefaultBand) {
			bands = []string{flows.DefaultBand}
		}
		for _, b := range slices.Concat(bands, locales.Bands) {
			if e, ok := w.nb[id+"@"+b]; ok {
				return e, true
			}
		}
	}
	return locales.Entry{}, false
}

// keys gives what there is to be translated into a language, in the order of nb.
// The languages content is written in have the same texts for the same bands; a
// translation keeps the bands it has, and a new one needs one text for all.
func (w *wording) keys(tag string) []string {
	var all []string
	done := map[string]bool{}
	add := func(key string) {
		if !done[key] {
			done[key] = true
			all = append(all, key)
		}
	}
	own := map[string][]string{}
	for _, e := range w.texts.Entries(tag) {
		own[e.ID] = append(own[e.ID], e.Key())
	}
	for _, e := range w.texts.Entries(locales.Source) {
		for _, key := range own[e.ID] {
			add(key)
		}
		switch {
		case w.texts.Language(tag).Always:
			add(e.Key())
		case len(own[e.ID]) == 0 && w.oneForAll(e.ID):
			add(e.ID)
		case len(own[e.ID]) == 0:
			add(e.Key())
		case len(w.texts.Lacks(tag, e.ID)) > 0 && !done[e.ID]:
			add(e.Key())
		}
	}
	for _, e := range w.texts.Entries(tag) {
		add(e.Key())
	}
	return all
}

// oneForAll tells whether one text can stand for those of all bands: they name
// the same numbers.
func (w *wording) oneForAll(id string) bool {
	var names []string
	first := true
	for _, band := range append([]string{""}, locales.Bands...) {
		e, ok := w.nb[locales.Entry{ID: id, Band: band}.Key()]
		if !ok {
			continue
		}
		now := braces.FindAllString(e.Raw, -1)
		slices.Sort(now)
		now = slices.Compact(now)
		if !first && !slices.Equal(now, names) {
			return false
		}
		names, first = now, false
	}
	return true
}

// Status of a translation.
const (
	isMissing  = "missing"
	isStale    = "stale"
	isDraft    = "draft"
	isApproved = "approved"
)

// status says how each text of a language stands, by key.
func (w *wording) status(tag string) map[string]string {
	origins, _ := locales.LoadOrigins(w.tree, tag)
	approved := map[string]bool{}
	for _, i := range w.texts.Infos() {
		approved[i.Path] = i.Status == isApproved
	}
	out := map[string]string{}
	for _, key := range w.keys(tag) {
		out[key] = isMissing
	}
	for _, e := range w.texts.Entries(tag) {
		then, known := origins[e.Key()]
		now, ok := w.texts.Origin(tag, e)
		switch {
		case ok && known && then.From != now.From && then.Own == now.Own:
			out[e.Key()] = isStale
		case approved[e.File]:
			out[e.Key()] = isApproved
		default:
			out[e.Key()] = isDraft
		}
	}
	return out
}

type localesStatusCmd struct {
	Content string `help:"Folder with content; left out: TRYGG_CONTENT_DIR, the repository one stands in, else what is compiled in."`
	Lang    string `help:"Only this language, file by file."`
}

func (c localesStatusCmd) Run(out io.Writer, cfg Config) error {
	t, err := wordTrees(c.Content, cfg)
	if err != nil {
		return err
	}
	w, err := readWording(t)
	if err != nil {
		return err
	}
	if c.Lang != "" {
		return w.files(out, c.Lang)
	}
	fmt.Fprintf(out, "%-4s %-16s %6s %8s %6s %6s %9s  %s\n", "", "", "texts", "missing", "stale", "draft", "approved", "reviewers")
	for _, l := range w.texts.Languages() {
		n := map[string]int{}
		for _, s := range w.status(l.Tag) {
			n[s]++
		}
		total := n[isMissing] + n[isStale] + n[isDraft] + n[isApproved]
		var by []string
		for _, i := range w.texts.Infos() {
			if strings.HasPrefix(i.Path, l.Tag+"/") && i.ReviewedBy != "" && !slices.Contains(by, i.ReviewedBy) {
				by = append(by, i.ReviewedBy)
			}
		}
		say := cmp.Or(strings.Join(by, ", "), "nobody yet")
		switch {
		case n[isMissing]+n[isStale] == 0:
			say += "; complete"
		case !l.Always:
			say += fmt.Sprintf("; %d %% done, nb stands in for the rest", 100*(total-n[isMissing])/max(1, total))
		}
		fmt.Fprintf(out, "%-4s %-16s %6d %8d %6d %6d %9d  %s\n", l.Tag, l.Name, total, n[isMissing], n[isStale], n[isDraft], n[isApproved], say)
	}
	return nil
}

// files prints one language, a file a line.
func (w *wording) files(out io.Writer, tag string) error {
	if _, ok := w.language(tag); !ok {
		return w.unknown(tag)
	}
	file := map[string]string{}
	for _, e := range w.texts.Entries(tag) {
		file[e.Key()] = path.Base(e.File)
	}
	infos := map[string]locales.FileInfo{}
	for _, i := range w.texts.Infos() {
		if dir, name := path.Split(i.Path); dir == tag+"/" {
			infos[name] = i
		}
	}
	count := map[string]map[string]int{}
	for key, s := range w.status(tag) {
		name := file[key]
		if e, ok := w.source(tag, key); name == "" && ok {
			name = path.Base(e.File)
		}
		if count[name] == nil {
			count[name] = map[string]int{}
		}
		count[name][s]++
	}
	fmt.Fprintf(out, "%-24s %6s %8s %6s  %s\n", "", "texts", "missing", "stale", "status")
	for _, name := range slices.Sorted(maps.Keys(count)) {
		n, i := count[name], infos[name]
		status := cmp.Or(i.Status, "no file yet")
		if i.ReviewedBy != "" {
			status += ", read by " + i.ReviewedBy
		}
		if i.ReviewedOn != "" {
			status += " on " + i.ReviewedOn
		}
		fmt.Fprintf(out, "%-24s %6d %8d %6d  %s\n", tag+"/"+name, n[isMissing]+n[isStale]+n[isDraft]+n[isApproved], n[isMissing], n[isStale], status)
	}
	return nil
}

func (w *wording) language(tag string) (locales.Language, bool) {
	for _, l := range w.texts.Languages() {
		if l.Tag == tag {
			return l, true
		}
	}
	return locales.Language{}, false
}

func (w *wording) unknown(tag string) error {
	var tags []string
	for _, l := range w.texts.Languages() {
		tags = append(tags, l.Tag)
	}
	return fmt.Errorf("%q is not a language here: there are %s; a new one is a line in locales/languages.yaml", tag, strings.Join(tags, ", "))
}

type localesExportCmd struct {
	To        string   `arg:"" help:"Folder for one table a language, or a file such as pl.csv."`
	Content   string   `help:"Folder with content; left out: TRYGG_CONTENT_DIR, the repository one stands in, else what is compiled in."`
	Lang      []string `help:"Only these languages."`
	Only      string   `help:"all, or open: only what is missing or older than its source." enum:"all,open" default:"all"`
	BOM       bool     `name:"bom" help:"Begin with the mark by which Excel knows UTF-8."`
	Semicolon bool     `help:"Semicolons between columns, as Excel wants them in Norwegian."`
}

func (c localesExportCmd) Run(out io.Writer, cfg Config) error {
	t, err := wordTrees(c.Content, cfg)
	if err != nil {
		return err
	}
	w, err := readWording(t)
	if err != nil {
		return err
	}
	file := ""
	if name, is := strings.CutSuffix(filepath.Base(c.To), ".csv"); is {
		file = c.To
		if len(c.Lang) == 0 {
			tag, _, _ := strings.Cut(name, "-") // pl-open.csv is Polish
			c.Lang = []string{tag}
		}
		if len(c.Lang) != 1 {
			return errors.New("a file holds one language: name one with --lang, or give a folder")
		}
	} else if err := os.MkdirAll(c.To, 0o755); err != nil {
		return err
	}
	if len(c.Lang) == 0 {
		for _, l := range w.texts.Languages() {
			if l.Tag != locales.Source {
				c.Lang = append(c.Lang, l.Tag)
			}
		}
	}
	for _, tag := range c.Lang {
		if _, ok := w.language(tag); !ok {
			return w.unknown(tag)
		}
		if tag == locales.Source {
			return errors.New("nb is what the others are made from: there is nothing to translate")
		}
		to := cmp.Or(file, filepath.Join(c.To, tag+".csv"))
		var b bytes.Buffer
		n, err := c.write(&b, w, tag)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d texts\n", to, n)
	}
	return nil
}

const byteOrderMark = "\ufeff"

// columns of a table. The text's own column has the language in its name.
const (
	columnID     = "id"
	columnText   = "text "
	columnSource = "source nb"
)

func (c localesExportCmd) write(to io.Writer, w *wording, tag string) (rows int, err error) {
	if c.BOM {
		io.WriteString(to, byteOrderMark)
	}
	table := csv.NewWriter(to)
	table.UseCRLF = true // what spreadsheets write themselves
	if c.Semicolon {
		table.Comma = ';'
	}
	table.Write([]string{columnID, columnSource, columnText + tag, "room", "where", "note", "status"})
	own := map[string]locales.Entry{}
	for _, e := range w.texts.Entries(tag) {
		own[e.Key()] = e
	}
	status := w.status(tag)
	for _, key := range w.keys(tag) {
		if c.Only == "open" && status[key] != isMissing && status[key] != isStale {
			continue
		}
		e, has := own[key]
		from, _ := w.source(tag, key)
		id, band, _ := strings.Cut(key, "@")
		row := func(name, source, text string) {
			rows++
			cells := []string{name, source, text, w.room(tag, id, band), w.usedAt(id), w.note(key, source), status[key]}
			for i := range cells {
				cells[i] = guard(cells[i])
			}
			table.Write(cells)
		}
		if from.Forms == nil && !(has && e.Forms != nil) {
			row(key, from.Raw, e.Raw)
			continue
		}
		for _, form := range locales.Forms(tag) {
			row(key+"["+form+"]", cmp.Or(from.Forms[form], from.Forms["other"]), e.Forms[form])
		}
	}
	table.Flush()
	return rows, table.Error()
}

func (w *wording) room(tag, id, band string) string {
	characters, words := w.texts.Room(tag, w.uses[id], band)
	var all []string
	if words > 0 {
		all = append(all, fmt.Sprintf("%d words", words))
	}
	if characters > 0 {
		all = append(all, fmt.Sprintf("%d characters", characters))
	}
	return strings.Join(all, ", ")
}

var braces = regexp.MustCompile(`\{\{[^}]*\}\}`)

func (w *wording) note(key, source string) string {
	note := w.notes[key]
	id, band, _ := strings.Cut(key, "@")
	if note == "" {
		note = w.notes[id]
	}
	add := func(s string) { note = strings.TrimSpace(note + " " + s) }
	if marks := braces.FindAllString(source, -1); len(marks) > 0 {
		slices.Sort(marks)
		add("Keep " + strings.Join(slices.Compact(marks), " and ") + " as it is: a number or an address comes there.")
	}
	if band != "" {
		add("For the age " + band + ".")
	}
	return note
}

// guard keeps a spreadsheet from taking a text for a formula: such cells begin
// with an apostrophe, which is taken away again on the way in.
func guard(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@\t\r'", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

type localesImportCmd struct {
	File       string    `arg:"" help:"The table as the translator sends it back."`
	Content    string    `help:"Folder with content to write to; left out: TRYGG_CONTENT_DIR, or the repository one stands in."`
	Look       bool      `help:"Only say what would change."`
	ReviewedBy string    `help:"A native reader who has read every text of the table and stands for it: the files are marked approved." placeholder:"NAME"`
	ReviewedOn time.Time `help:"When; left out: today." format:"2006-01-02" placeholder:"DATE"`
}

func (c localesImportCmd) Run(out io.Writer, cfg Config) error {
	t, err := wordTrees(c.Content, cfg)
	if err != nil {
		return err
	}
	if t.dir == "" {
		return errors.New("no folder to write to: name one with --content, or stand in the repository")
	}
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	w, err := readWording(t)
	if err != nil {
		return err
	}
	return c.take(out, w, raw)
}

// take takes a table in: all of it, or nothing.
func (c localesImportCmd) take(out io.Writer, w *wording, raw []byte) error {
	tab, problems := parseTable(c.File, raw)
	if tab == nil {
		return tellAll(out, problems)
	}
	if _, ok := w.language(tab.tag); !ok {
		return w.unknown(tab.tag)
	}
	if tab.tag == locales.Source {
		return errors.New("nb is what the others are made from: change it in its own files")
	}
	i := &importing{wording: w, table: tab, problems: problems, files: map[string][]byte{}, line: map[string]int{}, changed: map[string]bool{}, old: map[string]bool{}, seen: map[string]bool{}}
	i.rows()
	if c.ReviewedOn.IsZero() {
		c.ReviewedOn = time.Now()
	}
	if err := i.edit(c.ReviewedBy, c.ReviewedOn); err != nil {
		return err
	}
	if err := i.check(); err != nil {
		return err
	}
	if len(i.problems) > 0 {
		return tellAll(out, i.problems)
	}
	i.summary(out)
	if c.Look {
		fmt.Fprintln(out, "Nothing is written.")
		return nil
	}
	return i.write(out)
}

func tellAll(out io.Writer, problems []flows.Problem) error {
	slices.SortStableFunc(problems, func(a, b flows.Problem) int { return a.Line - b.Line })
	problems = slices.Compact(problems)
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	return fmt.Errorf("%d %s in the table: nothing is written", len(problems), plural(len(problems), "problem", "problems"))
}

// table is a translator's table.
type table struct {
	file string
	tag  string
	rows []tableRow
}

type tableRow struct {
	line         int
	key, form    string
	source, text string
	hasSource    bool
}

const maxTable = 8 << 20

// parseTable reads a table as any spreadsheet may have written it: with or
// without a byte order mark, with commas, semicolons or tabs.
func parseTable(file string, raw []byte) (*table, []flows.Problem) {
	var problems []flows.Problem
	tell := func(line int, format string, args ...any) {
		problems = append(problems, flows.Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case len(raw) > maxTable:
		tell(0, "is larger than %d MB", maxTable>>20)
		return nil, problems
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		tell(0, "is not UTF-8: save it as CSV UTF-8")
		return nil, problems
	}
	raw = bytes.TrimPrefix(raw, []byte(byteOrderMark))
	if !utf8.Valid(raw) {
		tell(0, "is not UTF-8: save it as CSV UTF-8, so that no letter gets lost")
		return nil, problems
	}
	head, _, _ := bytes.Cut(raw, []byte("\n"))
	reader := csv.NewReader(bytes.NewReader(raw))
	for _, sep := range []rune{',', ';', '\t'} {
		if bytes.ContainsRune(head, sep) {
			reader.Comma = sep
			break
		}
	}
	reader.FieldsPerRecord = -1
	t := &table{file: file}
	idAt, sourceAt, textAt := -1, -1, -1
	for first := true; ; first = false {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var at *csv.ParseError
			if errors.As(err, &at) {
				tell(at.StartLine, "is no table from here on: %v", at.Err)
			} else {
				tell(0, "%v", err)
			}
			return nil, problems
		}
		line, _ := reader.FieldPos(0)
		if first {
			for i, name := range cells {
				switch name = strings.TrimSpace(name); {
				case name == columnID:
					idAt = i
				case name == columnSource:
					sourceAt = i
				case strings.HasPrefix(name, columnText):
					textAt, t.tag = i, strings.TrimSpace(strings.TrimPrefix(name, columnText))
				}
			}
			if idAt < 0 || textAt < 0 {
				tell(1, "want columns named %q and %q with the language, as trygg locales export writes them", columnID, columnText+"pl")
				return nil, problems
			}
			continue
		}
		cell := func(i int) string {
			if i < 0 || i >= len(cells) {
				return ""
			}
			return strings.TrimSpace(strings.ReplaceAll(unguard(strings.TrimSpace(cells[i])), "\r\n", "\n"))
		}
		r := tableRow{line: line, key: cell(idAt), source: cell(sourceAt), text: cell(textAt), hasSource: sourceAt >= 0}
		if key, form, ok := strings.Cut(r.key, "["); ok {
			r.key, r.form = key, strings.TrimSuffix(form, "]")
		}
		if r.key == "" && r.text == "" {
			continue
		}
		t.rows = append(t.rows, r)
	}
	return t, problems
}

// importing is a table on its way in.
type importing struct {
	*wording
	table    *table
	problems []flows.Problem
	files    map[string][]byte // what is to be written, below the texts
	line     map[string]int    // key -> its row
	seen     map[string]bool   // keys in the table that have a text
	changed  map[string]bool
	old      map[string]bool // made from a source that has changed since
	added    int
	left     int // rows without a text
	drafts   []string
	approved []string
	taken    []changedText
	after    *locales.Bundle
}

type changedText struct {
	locales.Entry
	isNew bool
}

func (i *importing) tell(line int, format string, args ...any) {
	i.problems = append(i.problems, flows.Problem{File: i.table.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// rows takes what the table says and the files do not.
func (i *importing) rows() {
	own := map[string]locales.Entry{}
	for _, e := range i.texts.Entries(i.table.tag) {
		own[e.Key()] = e
	}
	known := map[string]bool{}
	for _, k := range i.keys(i.table.tag) {
		known[k] = true
	}
	for k := range i.nb {
		known[k] = true
	}
	forms := map[string]map[string]string{}
	rows := map[string]int{}
	for _, r := range i.table.rows {
		name := r.key
		if r.form != "" {
			name += "[" + r.form + "]"
		}
		first, twice := rows[name]
		rows[name] = r.line
		from, hasSource := i.source(i.table.tag, r.key)
		switch {
		case !known[r.key]:
			s := flows.Nearest(r.key, slices.Sorted(maps.Keys(known)))
			if s != "" {
				s = fmt.Sprintf("; did you mean %q?", s)
			}
			i.tell(r.line, "%q is no text there is%s", r.key, s)
			continue
		case twice:
			i.tell(r.line, "%q stands twice, first on line %d: keep one", name, first)
			continue
		case r.form != "" && !slices.Contains(locales.Forms(i.table.tag), r.form):
			i.tell(r.line, "%q is no plural form of this language: want %s", r.form, strings.Join(locales.Forms(i.table.tag), ", "))
			continue
		case r.text == "":
			i.left++
			continue
		}
		i.line[r.key] = cmp.Or(i.line[r.key], r.line)
		i.seen[r.key] = true
		was := from.Raw
		if r.form != "" {
			was = cmp.Or(from.Forms[r.form], from.Forms["other"])
		}
		if hasSource && r.hasSource && r.source != was {
			i.old[r.key] = true
		}
		if r.form != "" {
			if forms[r.key] == nil {
				forms[r.key] = maps.Clone(own[r.key].Forms)
				if forms[r.key] == nil {
					forms[r.key] = map[string]string{}
				}
			}
			forms[r.key][r.form] = r.text
			continue
		}
		if e, has := own[r.key]; !has || e.Raw != r.text || e.Forms != nil {
			i.change(own, r.key, r.text, nil)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(forms)) {
		if !maps.Equal(forms[key], own[key].Forms) {
			i.change(own, key, forms[key]["other"], forms[key])
		}
	}
}

func (i *importing) change(own map[string]locales.Entry, key, text string, forms map[string]string) {
	e, has := own[key]
	if !has {
		i.added++
		from, _ := i.source(i.table.tag, key)
		e.ID, e.Band, _ = strings.Cut(key, "@")
		e.File = i.table.tag + "/" + path.Base(cmp.Or(from.File, "active.yaml"))
	}
	e.Raw, e.Forms = text, forms
	i.changed[key] = true
	i.taken = append(i.taken, changedText{e, !has})
}

// edit makes the files as they are to be.
func (i *importing) edit(by string, on time.Time) error {
	open := map[string]*messageFile{}
	file := func(name string) (*messageFile, error) {
		if m := open[name]; m != nil {
			return m, nil
		}
		raw, err := fs.ReadFile(i.tree, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		like, err := fs.ReadFile(i.tree, locales.Source+"/"+path.Base(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		open[name] = newMessageFile(raw, like)
		return open[name], nil
	}
	for _, t := range i.taken {
		m, err := file(t.File)
		if err != nil {
			return err
		}
		m.set(t.Key(), t.Raw, t.Forms)
	}
	// A file is approved as a whole, so whoever approves has read all of it.
	for _, info := range i.texts.Infos() {
		if dir, _ := path.Split(info.Path); dir != i.table.tag+"/" {
			continue
		}
		m, touched := open[info.Path]
		if touched && info.Status == isApproved && by == "" {
			m.header(isDraft, info.ReviewedBy, info.ReviewedOn)
			i.drafts = append(i.drafts, info.Path)
		}
	}
	if by != "" {
		unread := map[string]int{}
		for _, e := range i.texts.Entries(i.table.tag) {
			if !i.seen[e.Key()] {
				unread[e.File]++
			}
		}
		names := map[string]bool{}
		for _, e := range i.texts.Entries(i.table.tag) {
			names[e.File] = true
		}
		for name := range open {
			names[name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if unread[name] > 0 {
				continue
			}
			m, err := file(name)
			if err != nil {
				return err
			}
			m.header(isApproved, by, on.Format(time.DateOnly))
			i.approved = append(i.approved, name)
		}
	}
	for name, m := range open {
		i.files[name] = m.bytes()
	}
	return nil
}

// check holds the new texts against everything `trygg check` looks at.
func (i *importing) check() error {
	if i.after = i.texts; len(i.files) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "trygg-locales-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := i.pair(dir); err != nil {
		return err
	}
	for name, b := range i.files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), b); err != nil {
			return err
		}
	}
	var numbers map[string]string
	if i.data != nil {
		numbers = i.data.Numbers()
	}
	tree := os.DirFS(dir)
	after, unread := locales.Check(tree, numbers)
	i.after = after
	now := map[string]locales.Entry{}
	for _, e := range after.Entries(i.table.tag) {
		now[e.Key()] = e
	}
	uses := map[string]locales.Use{} // of what changed: the rest is looked at by the check
	for _, t := range i.taken {
		if e := now[t.Key()]; e.Raw != t.Raw || !maps.Equal(e.Forms, t.Forms) {
			i.tell(i.line[t.Key()], "%q cannot be written into %s as it is", t.Key(), t.File)
		}
		if u, used := i.uses[t.ID]; used {
			uses[t.ID] = u
		}
	}
	rules, _ := locales.LoadRules(i.tree)
	wrong, _ := after.Inspect(tree, rules, uses)
	for _, p := range append(unread, wrong...) {
		m := quotedKey.FindStringSubmatch(p.Text)
		switch {
		case p.Rule == "unused", p.Rule == "stale": // nb is to be mended, not the table
		case m != nil && i.changed[m[1]]:
			i.tell(i.line[m[1]], "%s", p.Text)
		case i.files[p.File] != nil && slices.Contains(unread, p):
			i.tell(0, "%s", p)
		}
	}
	return nil
}

var quotedKey = regexp.MustCompile(`^"([^"]+)"`)

// pair copies the texts of nb and of the table's language to a folder. The other
// languages have no part in this.
func (i *importing) pair(dir string) error {
	list := "- {tag: nb, name: nb, always: true}\n"
	l := i.texts.Language(i.table.tag)
	list += fmt.Sprintf("- {tag: %s, name: %s, rtl: %t, always: %t, fallback: [nb]}\n", l.Tag, quoted(l.Name), l.RTL, l.Always)
	if err := writeFile(filepath.Join(dir, "languages.yaml"), []byte(list)); err != nil {
		return err
	}
	return fs.WalkDir(i.tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(name, locales.Source+"/") && !strings.HasPrefix(name, l.Tag+"/") && name != locales.OriginsFile(l.Tag) {
			return err
		}
		b, err := fs.ReadFile(i.tree, name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(dir, filepath.FromSlash(name)), b)
	})
}

func writeFile(to string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

func (i *importing) summary(out io.Writer) {
	say := func(n int, one, several string) {
		if n > 0 {
			fmt.Fprintf(out, "  %4d %s\n", n, plural(n, one, several))
		}
	}
	fmt.Fprintf(out, "%s into %s:\n", i.table.file, i.texts.Language(i.table.tag).Name)
	say(i.added, "new text", "new texts")
	say(len(i.taken)-i.added, "changed text", "changed texts")
	say(len(i.seen)-len(i.taken), "text as it was", "texts as they were")
	say(i.left, "row without a text, left as it is", "rows without a text, left as they are")
	old := 0
	for key := range i.old {
		if i.changed[key] {
			old++
		}
	}
	say(old, "text made from a source that has changed since: it is taken, and counts as stale", "texts made from a source that has changed since: they are taken, and count as stale")
	for _, name := range i.drafts {
		fmt.Fprintf(out, "  %s was approved; it is a draft again until somebody has read the new texts\n", name)
	}
	for _, name := range i.approved {
		fmt.Fprintf(out, "  %s is approved\n", name)
	}
}

// write writes the files, and what the new texts are made from.
func (i *importing) write(out io.Writer) error {
	origins, _ := locales.LoadOrigins(i.tree, i.table.tag)
	recorded := false
	for _, e := range i.after.Entries(i.table.tag) {
		key := e.Key()
		if !i.changed[key] && !(len(i.approved) > 0 && i.seen[key]) {
			continue
		}
		now, ok := i.after.Origin(i.table.tag, e)
		if !ok {
			continue
		}
		if i.old[key] {
			now.From = olderSource
		}
		origins[key], recorded = now, true
	}
	if recorded {
		var b bytes.Buffer
		if err := origins.Write(&b, i.table.tag); err != nil {
			return err
		}
		i.files[locales.OriginsFile(i.table.tag)] = b.Bytes()
	}
	for _, name := range slices.Sorted(maps.Keys(i.files)) {
		if was, err := fs.ReadFile(i.tree, name); err == nil && bytes.Equal(was, i.files[name]) {
			continue
		}
		to := filepath.Join(i.dir, "locales", filepath.FromSlash(name))
		if err := writeFile(to, i.files[name]); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is written\n", to)
	}
	return nil
}

// olderSource stands for a source that nb does not have any more.
const olderSource = "00000000"
