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
	rounds    = 30
	settled   = 10
	rate      = 0.1
	shrinking = 0.07
	// So many of the features of a sentence are left out each time it is read, so
	// that the others learn to do without them: what is typed has words that no
	// example has.
	leftOut = 0.5

	// A sentence with {several|ways} to say it is written out so many times its
	// longest list.
	mostWays = 2

	// The margins of topics, and of acute among danger.
	marginRounds = 15
	marginCost   = 0.8
	rareness     = 1.5 // the power of what few sentences have
	seldom       = 2   // what fewer sentences have says nothing about a topic
)

// exampleFile is a file of data/examples, read.
type exampleFile struct {
	base      string // its name, without the ending
	lang      string
	sentences []Sentence
}

// readExamples reads data/examples, in the order of the names.
func readExamples(fsys fs.FS) ([]exampleFile, error) {
	names, err := fs.Glob(fsys, "data/examples/*.txt")
	if err != nil {
		return nil, err
	}
	var files []exampleFile
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".txt")
		tag, _, _ := strings.Cut(base, "-")
		if !slices.Contains(languages, tag) {
			return nil, fmt.Errorf("%s: %q is not a language", name, tag)
		}
		sentences, err := ParseSentences(bytes.NewReader(b), tag, base)
		if err != nil {
			return nil, err
		}
		files = append(files, exampleFile{base, tag, sentences})
	}
	return files, nil
}

// gather numbers the features of the examples.
func (r *Reader) gather(files []exampleFile) *evidence {
	x := r.x
	ev := newEvidence()
	s := &scratch{}
	for _, file := range files {
		l := slices.Index(languages, file.lang)
		for _, sn := range written(file.sentences) {
			e := example{id: "example/" + sn.ID, grade: gradeOf[sn.Kind], langs: 1 << l}
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
			for _, topic := range sn.Topics {
				e.may |= 1 << topicOf(topic)
			}
			if e.may == 0 && e.grade == gradeNone {
				e.may = 1 << topicOf("other")
			}
			ev.examples = append(ev.examples, e)
		}
	}
	return ev
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
					shuffle(part, &next)
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

// shuffle puts list in another order, the same every time.
func shuffle[T any](list []T, next *uint64) {
	for i := len(list) - 1; i > 0; i-- {
		j := int(random(next)>>33) % (i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

func random(next *uint64) uint64 {
	*next = *next*6364136223846793005 + 1442695040888963407
	return *next
}

// move moves a weight against the slope, by less the more often it has been moved.
func move(w, moved *float32, slope, rate float32) {
	*moved += slope * slope
	*w -= rate * slope / float32(math.Sqrt(float64(*moved)+1e-8))
}

// fit finds the weights by logistic regression: example after example, each
// weight is moved a little towards what would have told the example right. In
// every language danger and no danger weigh the same, however many sentences
// there are of each; else what is added in one language would move the others.
// What is acute is told from other danger only, not from everyday sentences: a
// message has to be danger in the first place (see compare).
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
	mean, meanBias := make([]weight, len(ev.weights)), weight{}
	var features []int32
	next, chance := uint64(1), uint64(2)
	for round := range rounds {
		shuffle(order, &next)
		for _, at := range order {
			e := &ev.examples[at]
			sum := ev.bias
			features = features[:0]
			for _, f := range e.features {
				if float64(random(&chance)>>40)/(1<<24) < leftOut {
					continue
				}
				features = append(features, f)
				w := &ev.weights[f]
				sum[0], sum[1], sum[2] = sum[0]+w[0], sum[1]+w[1], sum[2]+w[2]
			}
			var miss weight
			for k := range miss {
				if k == len(miss)-1 && e.grade == gradeNone {
					continue
				}
				miss[k] = float32(1 / (1 + math.Exp(-float64(sum[k]))))
				if int(e.grade) > k {
					miss[k]--
				}
				miss[k] *= counts[at]
				ev.bias[k] -= 0.05 * miss[k]
			}
			for _, f := range features {
				w, m := &ev.weights[f], &moved[f]
				for k := range w {
					move(&w[k], &m[k], miss[k]+shrinking*w[k], rate)
				}
			}
		}
		// The mean of the last rounds depends little on what came last.
		if round >= rounds-settled {
			for f, w := range ev.weights {
				for k := range w {
					mean[f][k] += w[k] * (1 - leftOut) / settled
				}
			}
			for k := range meanBias {
				meanBias[k] += ev.bias[k] / settled
			}
		}
	}
	ev.weights, ev.bias = mean, meanBias
}

// fitMargins fits how much each feature speaks for each topic, and for what is
// acute among danger: for each of them the plane between its sentences and all
// others with the widest margin. What few sentences have counts more, and every
// sentence has the length 1, however much is said in it. A sentence whose heading
// names several topics speaks neither for nor against those.
func (ev *evidence) fitMargins() {
	seen := make([]int, len(ev.weights))
	var of []*example
	for i := range ev.examples {
		e := &ev.examples[i]
		if e.may == 0 && e.grade == gradeNone {
			continue
		}
		of = append(of, e)
		for _, f := range e.features {
			seen[f]++
		}
	}
	rare := make([]float32, len(seen))
	for f, n := range seen {
		if n >= seldom {
			rare[f] = float32(math.Round(rareStep*math.Pow(math.Log(float64(len(of))/float64(n)), rareness))) / rareStep
		}
	}
	rows := make([]row, len(of))
	for i, e := range of {
		rows[i] = rowOf(e, rare)
	}
	n := len(topics)
	fitted := make([][]float32, n+1)
	var fits sync.WaitGroup
	two := make(chan struct{}, 2)
	for k := range fitted {
		fits.Go(func() {
			two <- struct{}{}
			defer func() { <-two }()
			about, among := make([]int8, len(of)), n
			if k == asideAcute {
				among = 2
			}
			for i, e := range of {
				about[i] = e.about(k)
			}
			fitted[k], ev.ahead[k] = fitMargin(rows, about, among, len(seen))
		})
	}
	fits.Wait()
	ev.speaker = make([]int32, len(ev.weights))
	for f := range ev.speaker {
		ev.speaker[f] = -1
		says := speaks{rare: rare[f]}
		for k, w := range fitted {
			says.by[k] = int8(max(-127, min(127, math.Round(float64(w[f]*rare[f])*speakStep))))
		}
		if says.rare > 0 {
			ev.speaker[f] = int32(len(ev.topics))
			ev.topics = append(ev.topics, says)
		}
	}
}

// about tells whether an example is about a topic, or acute among danger (1), is
// not (-1), or says nothing of it (0).
func (e *example) about(k int) int8 {
	switch {
	case k == asideAcute && e.grade == gradeAcute, k < asideAcute && e.may == 1<<k:
		return 1
	case k == asideAcute && e.grade > gradeNone, k < asideAcute && e.may > 0 && e.may>>k&1 == 0:
		return -1
	}
	return 0
}

// row is an example as a vector of length 1.
type row struct {
	features []int32
	values   []float32
}

func rowOf(e *example, rare []float32) row {
	var r row
	var sum float64
	for _, f := range e.features {
		if v := rare[f]; v > 0 {
			r.features, r.values = append(r.features, f), append(r.values, v)
			sum += float64(v) * float64(v)
		}
	}
	for i := range r.values {
		r.values[i] /= float32(math.Sqrt(sum))
	}
	return r
}

// fitMargin is a linear support vector machine with squared hinge loss, by dual
// coordinate descent (Hsieh et al. 2008, algorithm 1). What the sentences that are
// about it cost together is as if there were as many of each of among kinds.
func fitMargin(rows []row, about []int8, among, features int) (w []float32, ahead float32) {
	var order []int
	are := 0
	for i, s := range about {
		if s != 0 {
			order = append(order, i)
		}
		if s > 0 {
			are++
		}
	}
	w = make([]float32, features)
	if are == 0 {
		return w, 0
	}
	cost := [2]float32{marginCost, marginCost * float32(len(order)) / float32(are*among)}
	held := make([]float32, len(rows)) // how hard each sentence holds the plane
	next := uint64(1)
	for range marginRounds {
		shuffle(order, &next)
		for _, i := range order {
			r, y, soft := &rows[i], float32(about[i]), 1/(2*cost[(about[i]+1)/2])
			sum := ahead
			for j, f := range r.features {
				sum += w[f] * r.values[j]
			}
			was := held[i]
			held[i] = max(0, was-(y*sum-1+soft*was)/(2+soft))
			step := (held[i] - was) * y
			if step == 0 {
				continue
			}
			for j, f := range r.features {
				w[f] += step * r.values[j]
			}
			ahead += step
		}
	}
	return w, ahead
}

// leastWeight is what a feature has to weigh to be kept.
const leastWeight = 0.03

// mostNamed is how many examples a feature can name.
const mostNamed = 6

// fitted is a reader with the weights that follow from the data.
func fitted(t testing.TB) *evidence {
	t.Helper()
	x, err := load(embedded)
	if err != nil {
		t.Fatal(err)
	}
	files, err := readExamples(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	ev := newReader(x).gather(files)
	ev.fitAll()
	return ev
}

func (ev *evidence) fitAll() {
	var fits sync.WaitGroup
	fits.Go(ev.fit)
	fits.Go(ev.fitMargins)
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
	for _, w := range ev.ahead {
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
		if ev.speaker[f] >= 0 || max(w[0], w[1], w[2], -w[0], -w[1], -w[2]) >= leastWeight {
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
			b = append(b, binary.LittleEndian.AppendUint64(nil, k.word)[:wordBytes]...)
		default:
			number(k.a)
			number(k.b)
		}
		for _, w := range ev.weights[f] {
			float(w)
		}
		row := ev.speaker[f]
		number(int(min(row+1, 1)))
		if row >= 0 {
			number(int(ev.topics[row].rare * rareStep))
			for _, by := range ev.topics[row].by {
				b = append(b, byte(by))
			}
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
		names, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
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
