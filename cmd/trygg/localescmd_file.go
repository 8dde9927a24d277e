package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// messageFile is a message file being changed by a tool. Lines that are not
// about a changed text stay as they are: comments, blank lines, order, quotes.
type messageFile struct {
	chunks []chunk
	like   []string // the keys of the same file in nb, in order
	leads  map[string][]string
}

// chunk is one name of a message file with its lines, and the comments and blank
// lines above it.
type chunk struct {
	lead []string
	key  string // "" = what stands below the last name
	body []string
}

// nameLine is a line that begins a name: it is not indented. Whatever a value
// goes on with is.
var nameLine = regexp.MustCompile(`^["']?([^\s"'#:][^"'#:]*?)["']?\s*:(\s|$)`)

func chunksOf(raw []byte) []chunk {
	var out []chunk
	var now chunk
	inBody := false
	flush := func() {
		if now.key == "" {
			return
		}
		// Blank lines and comments at its end belong to the next name.
		end := len(now.body)
		for end > 1 {
			if line := strings.TrimSpace(now.body[end-1]); line != "" && !strings.HasPrefix(now.body[end-1], "#") {
				break
			}
			end--
		}
		rest := slices.Clone(now.body[end:])
		now.body = now.body[:end]
		out = append(out, now)
		now = chunk{lead: rest}
	}
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := nameLine.FindStringSubmatch(line); m != nil {
			flush()
			now.key, now.body, inBody = m[1], []string{line}, true
			continue
		}
		if inBody {
			now.body = append(now.body, line)
		} else {
			now.lead = append(now.lead, line)
		}
	}
	flush()
	if len(now.lead) > 0 {
		out = append(out, chunk{lead: now.lead})
	}
	return out
}

// newMessageFile takes a file apart; like is the same file in nb, whose order
// new texts follow.
func newMessageFile(raw, like []byte) *messageFile {
	m := &messageFile{chunks: chunksOf(raw), leads: map[string][]string{}}
	fresh := len(m.chunks) == 0
	if fresh {
		m.chunks = []chunk{{key: "file", body: []string{headerLine("draft", "", ""), ""}}}
	}
	for _, c := range chunksOf(like) {
		if c.key == "" || c.key == "file" {
			continue
		}
		m.like = append(m.like, c.key)
		if !fresh {
			continue
		}
		// A new file also gets the comments that part it.
		for m.leads[c.key] = c.lead; len(m.like) == 1 && len(m.leads[c.key]) > 0 && m.leads[c.key][0] == ""; {
			m.leads[c.key] = m.leads[c.key][1:]
		}
	}
	return m
}

func (m *messageFile) at(key string) int {
	return slices.IndexFunc(m.chunks, func(c chunk) bool { return c.key == key })
}

// set writes a text, in its place or in the place nb has it.
func (m *messageFile) set(key, text string, forms map[string]string) {
	body := entryLines(key, text, forms)
	if i := m.at(key); i >= 0 {
		m.chunks[i].body = body
		return
	}
	c := chunk{key: key, body: body, lead: m.leads[key]}
	at := len(m.chunks)
	if at > 0 && m.chunks[at-1].key == "" {
		at--
	}
	id, _, _ := strings.Cut(key, "@")
	same := func(k string) bool { i, _, _ := strings.Cut(k, "@"); return i == id }
	place := slices.IndexFunc(m.like, func(k string) bool { return k == key })
	if place < 0 {
		place = slices.IndexFunc(m.like, same)
	}
	found := false
	for i := place - 1; i >= 0 && !found; i-- {
		if before := m.at(m.like[i]); before >= 0 {
			at, found = before+1, true
		}
	}
	for i := place + 1; i < len(m.like) && !found; i++ {
		// The first of its part: what is said above the next one is said of both.
		if after := m.at(m.like[i]); after >= 0 {
			at, found = after, true
			c.lead, m.chunks[after].lead = m.chunks[after].lead, nil
		}
	}
	// Behind the other bands of the same text.
	for i, other := range m.chunks {
		if i >= at-1 && same(other.key) && at <= i {
			at = i + 1
		}
	}
	m.chunks = slices.Insert(m.chunks, at, c)
}

// header says who stands for the file.
func (m *messageFile) header(status, by, on string) {
	line := headerLine(status, by, on)
	if i := m.at("file"); i >= 0 {
		body := []string{line}
		if old := m.chunks[i].body; old[len(old)-1] == "" {
			body = append(body, "")
		}
		m.chunks[i].body = body
		return
	}
	m.chunks = slices.Insert(m.chunks, 0, chunk{key: "file", body: []string{line, ""}})
}

func headerLine(status, by, on string) string {
	return "file: {status: " + status + ", reviewed_by: " + quoted(by) + ", reviewed_on: " + quoted(on) + "}"
}

func (m *messageFile) bytes() []byte {
	var out bytes.Buffer
	for _, c := range m.chunks {
		for _, line := range append(slices.Clone(c.lead), c.body...) {
			out.WriteString(line)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

func entryLines(key, text string, forms map[string]string) []string {
	if forms == nil {
		return []string{key + ": " + scalarOf(text)}
	}
	lines := []string{key + ":"}
	for _, form := range []string{"zero", "one", "two", "few", "many", "other"} {
		if t, ok := forms[form]; ok {
			lines = append(lines, "  "+form+": "+scalarOf(t))
		}
	}
	return lines
}

// scalarOf writes a text so that YAML reads the same text back: bare where that
// is sure, else in quotes.
func scalarOf(text string) string {
	sure := text != "" && !strings.ContainsAny(text, "\n\t\\{}\"") && !strings.ContainsAny(text[:1], "-?:,[]#&*!|>'%@` ") &&
		!strings.Contains(text, ": ") && !strings.HasSuffix(text, ":") && !strings.Contains(text, " #")
	if sure {
		var back map[string]any
		if err := yaml.Unmarshal([]byte("k: "+text+"\n"), &back); err == nil && back["k"] == text {
			return text
		}
	}
	return quoted(text)
}

// quoted writes a text in double quotes, which YAML reads as JSON does.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string can always be written
	}
	return strings.TrimSpace(b.String())
}
