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

// String is the report as tables: what was found, what was a false alarm, and
// what each kind was read as. Behind every share stand its interval for 95 % and
// the number of sentences.
func (r Report) String() string {
	var b strings.Builder
	keys := append([]string{"all"}, languages...)
	for _, m := range r.Kinds {
		for _, k := range sorted(m) {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	table := func(title string, names []string, rows map[string]map[string]Rate) {
		fmt.Fprintf(&b, "%-18s", title)
		for _, name := range names {
			if len(rows[name]) > 0 {
				fmt.Fprintf(&b, "%-25s", name)
			}
		}
		b.WriteByte('\n')
		for _, k := range keys {
			line, some := fmt.Sprintf("  %-16s", k), false
			for _, name := range names {
				if len(rows[name]) == 0 {
					continue
				}
				cell := "-"
				if rate := rows[name][k]; rate.Of > 0 {
					low, high := rate.Interval()
					cell, some = fmt.Sprintf("%.3f %.2f-%.2f %d/%d", rate.Share(), low, high, rate.Hits, rate.Of), true
				}
				line += fmt.Sprintf("%-25s", cell)
			}
			if some {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
			}
		}
		b.WriteByte('\n')
	}
	table("found", []string{KindAcute, KindDisclosure, KindIndirect, KindWorry, "danger"}, map[string]map[string]Rate{
		KindAcute: r.Kinds[KindAcute], KindDisclosure: r.Kinds[KindDisclosure], KindIndirect: r.Kinds[KindIndirect], KindWorry: r.Kinds[KindWorry], "danger": r.Danger,
	})
	table("false alarms", []string{KindEveryday, KindHard, KindInfo}, map[string]map[string]Rate{
		KindEveryday: r.Kinds[KindEveryday], KindHard: r.Kinds[KindHard], KindInfo: r.Kinds[KindInfo],
	})
	table("right", []string{"topic", "language"}, map[string]map[string]Rate{"topic": r.Topics, "language": r.Languages})

	fmt.Fprintf(&b, "%-18s%12s%12s%12s%12s\n", "read as", flows.None, flows.Worry, flows.Disclosure, flows.Acute)
	for _, kind := range Kinds {
		c := r.Confusion[kind]
		if c == nil {
			continue
		}
		fmt.Fprintf(&b, "  %-16s", kind)
		for l := flows.None; l <= flows.Acute; l++ {
			fmt.Fprintf(&b, "%12d", c[l])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
