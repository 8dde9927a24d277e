package crisis

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"trygg/flows"
)

// How the weights are fitted. Chosen by leaving out all sentences of a writer in
// turn.
const (
	rounds    = 15
	settled   = 6
	rate      = 0.1
	shrinking = 0.2

	// A sentence with {several|ways} to say it is written out so many times its
	// longest list.
	mostWays = 2

	topicRounds = 8
	topicRate   = 0.08
	// A topic with few sentences counts for more, by this power of how few.
	topicShare = 0.7
)

// gather reads the examples and numbers their features.
func (r *Reader) gather(fsys fs.FS) (*evidence, error) {
	x := r.x
	ev := newEvidence()
	names, err := fs.Glob(fsys, "data/examples/*.txt")
	if err != nil {
		return nil, err
	}
	s := &scratch{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".txt")
		tag, _, _ := strings.Cut(base, "-")
		l := slices.Index(languages, tag)
		if l < 0 {
			return nil, fmt.Errorf("%s: %q is not a language", name, tag)
		}
		sentences, err := ParseSentences(bytes.NewReader(b), tag, base)
		if err != nil {
			return nil, err
		}
		for _, sn := range written(sentences) {
			e := example{id: "example/" + sn.ID, grade: gradeOf[sn.Kind], topic: -1, langs: 1 << l}
			s.wipe()
			r.analyse(s, sn.Words.Read())
			var u flows.Understanding
			r.rules(s, &u)
			n := len(s.tokens)
			e.features = slices.Clone(ev.features(x, s, 0, min(n, 2*chunk), true))
			// Every stretch of an everyday story is an everyday example.
			for from := chunkStep; e.grade == gradeNone && from+chunkStep < n; from += chunkStep {
				more := e
				more.features = slices.Clone(ev.features(x, s, from, min(from+chunk, n), true))
				ev.examples = append(ev.examples, more)
			}
			// Where a heading names several topics, the rules choose among them.
			for _, topic := range append(u.Topics, sn.Topics...) {
				if slices.Contains(sn.Topics, topic) {
					e.topic = topicOf(topic)
					break
				}
			}
			if e.topic < 0 && e.grade == gradeNone {
				e.topic = topicOf("other")
			}
			ev.examples = append(ev.examples, e)
		}
	}
	return ev, nil
}

// written writes out the sentences that hold {one|or|another}. Every way of
// saying each part is used, together with ever other ways of saying the rest,
// but not all that could be put together.
func written(sentences []Sentence) []Sentence {
	out := make([]Sentence, 0, len(sentences))
	next := uint64(1)
	for _, s := range sentences {
		text := s.Words.Read()
		if !strings.Contains(text, "{") {
			out = append(out, s)
			continue
		}
		var fixed []string
		var parts [][]string
		most, all := 1, 1
		for {
			before, rest, ok := strings.Cut(text, "{")
			fixed = append(fixed, before)
			if !ok {
				break
			}
			inside, after, _ := strings.Cut(rest, "}")
			part := strings.Split(inside, "|")
			parts = append(parts, part)
			most, all = max(most, len(part)), min(all*len(part), 1<<20)
			text = after
		}
		ways := min(all, mostWays*most)
		for i := range ways {
			var b strings.Builder
			for k, part := range parts {
				n := len(part)
				if all > ways && i%n == 0 || i == 0 {
					for at := n - 1; at > 0; at-- { // a shuffle that is always the same
						next = next*6364136223846793005 + 1442695040888963407
						j := int(next>>33) % (at + 1)
						part[at], part[j] = part[j], part[at]
					}
				}
				at := i % n
				if all <= ways {
					at = i / every(parts[:k]) % n
				}
				b.WriteString(fixed[k])
				b.WriteString(part[at])
			}
			b.WriteString(fixed[len(parts)])
			way := s
			way.Words = flows.NewWords(b.String())
			out = append(out, way)
		}
	}
	return out
}

// every is in how many ways parts can be put together.
func every(parts [][]string) int {
	n := 1
	for _, part := range parts {
		n *= len(part)
	}
	return n
}

// fit finds the weights by logistic regression: example after example, each
// weight is moved a little towards what would have told the example right, by
// less the more often it has been moved. In every language danger and no danger
// weigh the same, however many sentences there are of each; else what is added
// in one language would move the others.
func (ev *evidence) fit() {
	n := len(ev.examples)
	if n == 0 {
		return
	}
	var mass [8][2]float64
	side := func(e *example) (lang, danger int) {
		if e.grade > gradeNone {
			danger = 1
		}
		for lang < 7 && e.langs != 1<<lang {
			lang++
		}
		return lang, danger
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		l, d := side(&ev.examples[i])
		mass[l][d]++
	}
	counts := make([]float32, n)
	for i := range counts {
		l, d := side(&ev.examples[i])
		counts[i] = float32(max(mass[l][1-d], 1) / mass[l][d])
	}
	moved := make([]weight, len(ev.weights))
	next := uint64(1)
	mean, meanBias := make([]weight, len(ev.weights)), weight{}
	for round := range rounds {
		for i := n - 1; i > 0; i-- { // a shuffle that is always the same
			next = next*6364136223846793005 + 1442695040888963407
			j := int(next>>33) % (i + 1)
			order[i], order[j] = order[j], order[i]
		}
		for _, at := range order {
			e := &ev.examples[at]
			sum := ev.bias
			for _, f := range e.features {
				w := &ev.weights[f]
				sum[0], sum[1], sum[2] = sum[0]+w[0], sum[1]+w[1], sum[2]+w[2]
			}
			var miss weight
			for k := range miss {
				miss[k] = float32(1 / (1 + math.Exp(-float64(sum[k]))))
				if int(e.grade) > k {
					miss[k]--
				}
				miss[k] *= counts[at]
				ev.bias[k] -= 0.05 * miss[k]
			}
			for _, f := range e.features {
				w, m := &ev.weights[f], &moved[f]
				for k := range w {
					g := miss[k] + shrinking*w[k]
					m[k] += g * g
					w[k] -= rate * g / float32(math.Sqrt(float64(m[k])+1e-8))
				}
			}
		}
		// The mean of the last rounds depends little on what came last.
		if round >= rounds-settled {
			for f, w := range ev.weights {
				for k := range w {
					mean[f][k] += w[k] / settled
				}
			}
			for k := range meanBias {
				meanBias[k] += ev.bias[k] / settled
			}
		}
	}
	ev.weights, ev.bias = mean, meanBias
}

// fitTopics fits how much each feature speaks for each topic.
func (ev *evidence) fitTopics() {
	n := len(topics)
	seen := make([]int, len(ev.weights))
	for _, e := range ev.examples {
		if e.topic >= 0 {
			for _, f := range e.features {
				seen[f]++
			}
		}
	}
	dense := make([][]float32, len(ev.weights))
	for f := range seen {
		if seen[f] > 1 {
			dense[f] = make([]float32, n)
		}
	}
	many, all := make([]float64, n), 0.0
	for _, e := range ev.examples {
		if e.topic >= 0 {
			many[e.topic]++
			all++
		}
	}
	sums := make([]float64, n)
	for round := range topicRounds {
		step := float32(topicRate / float64(1+round))
		for _, e := range ev.examples {
			if e.topic < 0 {
				continue
			}
			clear(sums)
			for _, f := range e.features {
				for i, w := range dense[f] {
					sums[i] += float64(w)
				}
			}
			total := 0.0
			for i, sum := range sums {
				sums[i] = math.Exp(min(sum, 30))
				total += sums[i]
			}
			counts := float32(math.Pow(all/float64(n)/many[e.topic], topicShare))
			for i := range sums {
				miss := float32(sums[i] / total)
				if i == e.topic {
					miss--
				}
				miss *= counts
				if miss > 0.01 || miss < -0.01 {
					for _, f := range e.features {
						if w := dense[f]; w != nil {
							w[i] -= step * miss
						}
					}
				}
			}
		}
	}
	ev.topics = make([][]speaks, len(ev.weights))
	for f, row := range dense {
		for i, w := range row {
			if w > leastTopic || w < -leastTopic {
				ev.topics[f] = append(ev.topics[f], speaks{uint8(i), w})
			}
		}
	}
}

// What weighs less than this is not kept.
const (
	leastWeight = 0.03
	leastTopic  = 0.03
)

// mostNamed is how many examples a feature can name.
const mostNamed = 6

// fitted is a reader with the weights that follow from the data.
func fitted(t testing.TB) *evidence {
	t.Helper()
	x, err := load(embedded)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := newReader(x).gather(embedded)
	if err != nil {
		t.Fatal(err)
	}
	ev.fitAll()
	return ev
}

func (ev *evidence) fitAll() {
	var fits sync.WaitGroup
	fits.Go(ev.fit)
	fits.Go(ev.fitTopics)
	fits.Wait()
}

// pack writes evidence as recall reads it.
func (ev *evidence) pack(sum []byte) []byte {
	b := slices.Clone(sum)
	number := func(v int) { b = binary.AppendUvarint(b, uint64(v)) }
	float := func(w float32) { b = binary.AppendVarint(b, int64(math.Round(float64(w)*weightStep))) }
	for _, w := range ev.bias {
		float(w)
	}
	// The shortest examples say most plainly what a feature is about.
	byLength := make([]int, len(ev.examples))
	for i := range byLength {
		byLength[i] = i
	}
	slices.SortStableFunc(byLength, func(i, j int) int { return len(ev.examples[i].features) - len(ev.examples[j].features) })
	named := map[string]int{}
	var list []example
	postings := make([][]int, len(ev.weights))
	for _, i := range byLength {
		e := &ev.examples[i]
		if e.grade == gradeNone {
			continue
		}
		if _, ok := named[e.id]; ok {
			continue
		}
		at := len(list)
		for _, f := range e.features {
			if w := ev.weights[f]; len(postings[f]) < mostNamed && max(w[0], w[1], w[2]) > 0.1 {
				postings[f] = append(postings[f], at)
				named[e.id] = at
			}
		}
		if _, ok := named[e.id]; ok {
			list = append(list, *e)
		}
	}
	number(len(list))
	for _, e := range list {
		id := strings.TrimPrefix(e.id, "example/")
		number(len(id))
		b = append(b, id...)
		number(int(e.grade))
	}
	type key struct {
		kind, a, b int
		word       uint64
	}
	keys := make([]key, len(ev.weights))
	for c, at := range ev.concepts {
		if at > 0 {
			keys[at-1] = key{kind: keyConcept, a: c}
		}
	}
	for i, at := range ev.together {
		if at > 0 {
			keys[at-1] = key{kind: keyTogether, a: i / maxConcepts, b: i % maxConcepts}
		}
	}
	for i, at := range ev.ordered {
		if at > 0 {
			keys[at-1] = key{kind: keyOrdered, a: i / maxConcepts, b: i % maxConcepts}
		}
	}
	for word, at := range ev.words {
		keys[at-1] = key{kind: keyWord, word: word}
	}
	var kept []int
	for f, w := range ev.weights {
		if len(ev.topics[f]) > 0 || max(w[0], w[1], w[2], -w[0], -w[1], -w[2]) >= leastWeight {
			kept = append(kept, f)
		}
	}
	number(len(kept))
	for _, f := range kept {
		k := keys[f]
		number(k.kind)
		switch k.kind {
		case keyConcept:
			number(k.a)
		case keyWord:
			b = binary.LittleEndian.AppendUint64(b, k.word)
		default:
			number(k.a)
			number(k.b)
		}
		for _, w := range ev.weights[f] {
			float(w)
		}
		number(len(ev.topics[f]))
		for _, s := range ev.topics[f] {
			number(int(s.topic))
			float(s.by)
		}
		number(len(postings[f]))
		for _, e := range postings[f] {
			number(e)
		}
	}
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// dataSum is over all data that weights are fitted to.
func dataSum(t testing.TB) []byte {
	t.Helper()
	h := sha256.New()
	for _, pattern := range []string{"data/*.yaml", "data/examples/*.txt"} {
		names, err := fs.Glob(embedded, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := fs.ReadFile(embedded, name)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(h, "%s %d\n", name, len(b))
			h.Write(b)
		}
	}
	return h.Sum(nil)
}

// TestLearned_followsFromTheData fits the weights again and compares them with
// the table the program carries; with -update it writes the table.
func TestLearned_followsFromTheData(t *testing.T) {
	sum := dataSum(t)
	again := flag.Lookup("update").Value.String() == "true"
	_, had, err := unpack(learned)
	if !again && (err != nil || !bytes.Equal(had, sum)) {
		t.Fatalf("data/learned.bin was fitted to other data; run go test ./flows/crisis -run Learned -update (%v)", err)
	}
	if slow() && !again {
		return // the sum is enough where fitting takes long
	}
	want := fitted(t).pack(sum)
	if again {
		if err := os.WriteFile("data/learned.bin", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	// Other processors may round the last digit otherwise.
	if runtime.GOARCH == "amd64" && !bytes.Equal(learned, want) {
		t.Error("data/learned.bin does not follow from the data and the code; run go test ./flows/crisis -run Learned -update")
	}
}

// slow tells whether the race detector watches.
func slow() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// TestRecall_brokenTable cuts the table at every kind of place: an error, never
// a panic, never a reader with half its weights.
func TestRecall_brokenTable(t *testing.T) {
	content, sum, err := unpack(learned)
	if err != nil {
		t.Fatal(err)
	}
	packed := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(b)
		z.Close()
		return out.Bytes()
	}
	whole := append(slices.Clone(sum), content...)
	if _, err := recall(packed(whole)); err != nil {
		t.Errorf("the whole table: %v", err)
	}
	for name, b := range map[string][]byte{
		"no gzip":        []byte("no table"),
		"only the sum":   packed(whole[:sumSize]),
		"less than that": packed(whole[:sumSize-1]),
		"the first half": packed(whole[:len(whole)/2]),
		"one byte short": packed(whole[:len(whole)-1]),
		"one byte more":  packed(append(slices.Clone(whole), 0)),
		"cut gzip":       learned[:len(learned)/2],
	} {
		if _, err := recall(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
