package crisis

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"trygg/flows"
)

// Kinds of sentences in an evaluation, and when the reading of one is right.
const (
	KindAcute      = "acute"      // acute
	KindDisclosure = "disclosure" // disclosure or higher
	KindIndirect   = "indirect"   // worry or higher: a hint
	KindWorry      = "worry"      // worry or higher: hedged, denied, asked
	KindHard       = "hard"       // below disclosure: words of harm without harm
	KindInfo       = "info"       // below disclosure: a question
	KindEveryday   = "everyday"   // none
)

// Kinds lists the kinds in the order of a report.
var Kinds = []string{KindAcute, KindDisclosure, KindIndirect, KindWorry, KindHard, KindInfo, KindEveryday}

// Sentence is one sentence with what a reader should make of it. Sentences are
// invented; nothing anybody typed to us is ever one (S9).
type Sentence struct {
	ID     string
	Lang   string
	Kind   string
	Voice  string
	Topics []string // any of these is right as the first topic; empty = not judged
	Words  flows.Words
}

// ParseSentences reads the plain format of testdata: a line
// "# kind topic|topic voice" stands above the sentences it describes, one a line.
func ParseSentences(r io.Reader, lang, name string) ([]Sentence, error) {
	var out []Sentence
	var head Sentence
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			fields := strings.Fields(line[1:])
			if len(fields) == 0 || !slices.Contains(Kinds, fields[0]) {
				return nil, fmt.Errorf("%s:%d: want \"# kind topics voice\"", name, n)
			}
			head = Sentence{Lang: lang, Kind: fields[0]}
			if len(fields) > 2 {
				head.Voice = fields[2]
			}
			if len(fields) > 1 {
				for _, topic := range strings.Split(fields[1], "|") {
					if topicOf(topic) >= 0 {
						head.Topics = append(head.Topics, topic)
					} else if len(fields) == 2 {
						head.Voice = fields[1]
					}
				}
			}
		case head.Kind == "":
			return nil, fmt.Errorf("%s:%d: a sentence above the first heading", name, n)
		default:
			s := head
			s.ID = fmt.Sprintf("%s:%d", name, n)
			s.Words = flows.NewWords(line)
			out = append(out, s)
		}
	}
	return out, lines.Err()
}

// Rate is a share of a number of sentences.
type Rate struct{ Hits, Of int }

// Share is the part of the sentences that were hits; of none it is 0.
func (r Rate) Share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Hits) / float64(r.Of)
}

// Interval is Wilson's interval for 95 %.
func (r Rate) Interval() (low, high float64) {
	if r.Of == 0 {
		return 0, 1
	}
	const z = 1.96
	n, p := float64(r.Of), r.Share()
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

func (r Rate) String() string {
	if r.Of == 0 {
		return "-"
	}
	low, high := r.Interval()
	return fmt.Sprintf("%.3f (%d/%d, %.2f-%.2f)", r.Share(), r.Hits, r.Of, low, high)
}

// Report is what an evaluation measured. Recall counts what was found; for the
// kinds hard, info and everyday it counts the false alarms.
type Report struct {
	Kinds     map[string]map[string]Rate // kind -> language or "all" -> rate
	Danger    map[string]Rate            // acute, disclosure and hints together, per language
	Topics    map[string]Rate            // language or "all" -> first topic right
	Languages map[string]Rate            // language of the decision right
	Confusion map[string]map[flows.Level]int
	Misses    []string // ids
}

// Evaluate reads every sentence and measures. It keeps ids, never words.
func Evaluate(r *Reader, sentences []Sentence) Report {
	rep := Report{
		Kinds: map[string]map[string]Rate{}, Danger: map[string]Rate{}, Topics: map[string]Rate{},
		Languages: map[string]Rate{}, Confusion: map[string]map[flows.Level]int{},
	}
	for _, s := range sentences {
		u := r.Read(s.Words)
		hit := counts(s.Kind, u.Level)
		if rep.Kinds[s.Kind] == nil {
			rep.Kinds[s.Kind] = map[string]Rate{}
			rep.Confusion[s.Kind] = map[flows.Level]int{}
		}
		rep.Confusion[s.Kind][u.Level]++
		tally(rep.Kinds[s.Kind], s.Lang, hit)
		danger := s.Kind == KindAcute || s.Kind == KindDisclosure || s.Kind == KindIndirect
		if danger {
			tally(rep.Danger, s.Lang, hit)
			same := u.Language == s.Lang || norwegianTag(u.Language) && norwegianTag(s.Lang)
			tally(rep.Languages, s.Lang, same)
		}
		topic := true
		if len(s.Topics) > 0 && !slices.Contains(s.Topics, "other") {
			topic = len(u.Topics) > 0 && slices.Contains(s.Topics, u.Topics[0])
			tally(rep.Topics, s.Lang, topic)
		}
		alarm := s.Kind == KindHard || s.Kind == KindInfo || s.Kind == KindEveryday
		if hit == alarm || !topic {
			rep.Misses = append(rep.Misses, s.ID)
		}
	}
	return rep
}

func norwegianTag(tag string) bool { return tag == "nb" || tag == "nn" }

func tally(m map[string]Rate, lang string, hit bool) {
	for _, key := range [...]string{lang, "all"} {
		r := m[key]
		r.Of++
		if hit {
			r.Hits++
		}
		m[key] = r
	}
}

// counts tells whether a level is a hit for a kind: found for the first four,
// a false alarm for the rest.
func counts(kind string, l flows.Level) bool {
	switch kind {
	case KindAcute:
		return l == flows.Acute
	case KindDisclosure, KindHard, KindInfo:
		return l >= flows.Disclosure
	default:
		return l >= flows.Worry
	}
}

// String is the report as a table.
func (r Report) String() string {
	var b strings.Builder
	keys := append([]string{"all"}, languages...)
	fmt.Fprintf(&b, "%-12s", "")
	for _, k := range keys {
		fmt.Fprintf(&b, "%16s", k)
	}
	row := func(name string, m map[string]Rate) {
		if len(m) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%-12s", name)
		for _, k := range keys {
			if m[k].Of == 0 {
				fmt.Fprintf(&b, "%16s", "-")
			} else {
				fmt.Fprintf(&b, "%7.3f %3d/%-4d", m[k].Share(), m[k].Hits, m[k].Of)
			}
		}
	}
	for _, kind := range Kinds {
		row(kind, r.Kinds[kind])
	}
	row("danger", r.Danger)
	row("topic", r.Topics)
	row("language", r.Languages)
	b.WriteString("\n\nkind, and the level it was read as:")
	for _, kind := range Kinds {
		c := r.Confusion[kind]
		if c == nil {
			continue
		}
		fmt.Fprintf(&b, "\n%-12s", kind)
		for l := flows.None; l <= flows.Acute; l++ {
			fmt.Fprintf(&b, " %s %d", l, c[l])
		}
		if all := r.Kinds[kind]["all"]; all.Of > 0 {
			low, high := all.Interval()
			fmt.Fprintf(&b, "   %.3f, 95%% interval %.3f-%.3f", all.Share(), low, high)
		}
	}
	b.WriteByte('\n')
	return b.String()
}
