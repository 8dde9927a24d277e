package crisis

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the table
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// learned is the table of weights that was fitted to data/examples. It is written
// anew, after any change of data or of what is weighed, by
//
//	go test ./flows/crisis -run Learned -update
//
//go:embed data/learned.bin
var learned []byte

// The parts of the table: a sum over the data it was fitted to, the bias, what
// topics have ahead, the examples that are named in reasons, the features. All numbers are varints;
// weights count in steps of 1/weightStep.
const (
	sumSize    = 32
	weightStep = 256
	wordBytes  = 5 // of wordKey
)

// How a feature is known again.
const (
	keyConcept = iota
	keyTogether
	keyOrdered
	keyWord
)

var errTable = errors.New("data/learned.bin is broken; write it anew with go test ./flows/crisis -run Learned -update")

// table reads numbers until the first that is wrong.
type table struct {
	rest []byte
	err  error
}

func (t *table) number(below int) int {
	v, n := binary.Uvarint(t.rest)
	if n <= 0 || v >= uint64(below) {
		t.err, t.rest = errTable, nil
		return 0
	}
	t.rest = t.rest[n:]
	return int(v)
}

func (t *table) float() float32 {
	v, n := binary.Varint(t.rest)
	if n <= 0 {
		t.err, t.rest = errTable, nil
		return 0
	}
	t.rest = t.rest[n:]
	return float32(v) / weightStep
}

func (t *table) bytes(n int) []byte {
	if n > len(t.rest) {
		t.err, t.rest = errTable, nil
		return make([]byte, n)
	}
	b := t.rest[:n]
	t.rest = t.rest[n:]
	return b
}

// unpack is the content of the table, and the sum over the data.
func unpack(packed []byte) (rest, sum []byte, err error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errTable, err)
	}
	const most = 32 << 20
	b, err := io.ReadAll(io.LimitReader(z, most))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errTable, err)
	}
	if len(b) < sumSize {
		return nil, nil, errTable
	}
	return b[sumSize:], b[:sumSize], nil
}

// recall reads the table into evidence.
func recall(packed []byte) (*evidence, error) {
	b, _, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	const most = 1 << 22
	t := &table{rest: b}
	ev := newEvidence()
	for k := range ev.bias {
		ev.bias[k] = t.float()
	}
	for i := range ev.ahead {
		ev.ahead[i] = t.float()
	}
	ev.examples = make([]example, t.number(most))
	for i := range ev.examples {
		ev.examples[i].id = "example/" + string(t.bytes(t.number(100)))
		ev.examples[i].grade = grade(t.number(int(gradeAcute) + 1))
	}
	n := t.number(most)
	ev.words = make(map[uint64]int32, n)
	ev.weights = make([]weight, n)
	ev.names = make([][2]int16, n)
	ev.speaker = make([]int32, n)
	ev.topics = make([]speaks, 0, n/4)
	ev.upTo = make([]int32, n)
	ev.named = make([]int32, 0, n)
	for f := range ev.weights {
		if t.err != nil {
			return nil, t.err
		}
		at := int32(f + 1)
		ev.names[f] = [2]int16{-1, -1}
		switch kind := t.number(keyWord + 1); kind {
		case keyConcept:
			c := t.number(maxConcepts)
			ev.concepts[c], ev.names[f][0] = at, int16(c)
		case keyWord:
			var key [8]byte
			copy(key[:wordBytes], t.bytes(wordBytes))
			ev.words[binary.LittleEndian.Uint64(key[:])] = at
		default:
			a, b := t.number(maxConcepts), t.number(maxConcepts)
			ev.names[f] = [2]int16{int16(a), int16(b)}
			if kind == keyTogether {
				ev.together[a*maxConcepts+b] = at
			} else {
				ev.ordered[a*maxConcepts+b] = at
			}
		}
		for k := range ev.weights[f] {
			ev.weights[f][k] = t.float()
		}
		ev.speaker[f] = -1
		if t.number(2) == 1 {
			ev.speaker[f] = int32(len(ev.topics))
			row := speaks{rare: float32(t.number(math.MaxInt16)) / rareStep}
			for i, b := range t.bytes(len(row.by)) {
				row.by[i] = int8(b)
			}
			ev.topics = append(ev.topics, row)
		}
		for range t.number(100) {
			ev.named = append(ev.named, int32(t.number(max(1, len(ev.examples)))))
		}
		ev.upTo[f] = int32(len(ev.named))
	}
	if t.err == nil && len(t.rest) > 0 {
		return nil, errTable
	}
	return ev, t.err
}
