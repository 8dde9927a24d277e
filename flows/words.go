package flows

import (
	"errors"
	"fmt"
	"log/slog"
)

// Words is what a person typed. It can be read by a pure reader (flows/crisis,
// flows/routine), and nothing else: it cannot be printed, logged or stored by
// accident (S9). Fields of this type are exported, since fmt prints unexported
// fields raw.
type Words struct{ s string }

// NewWords wraps typed text as it comes in from a channel.
func NewWords(s string) Words { return Words{s} }

// Read gives the text to a reader. Callers keep it in local variables only.
func (w Words) Read() string { return w.s }

// Empty tells whether nothing was typed.
func (w Words) Empty() bool { return w.s == "" }

// Gone gives empty words, for what outlives the answer.
func (w Words) Gone() Words { return Words{} }

var errWords = errors.New("words are never stored")

func (Words) Format(f fmt.State, _ rune)     { fmt.Fprint(f, "[words]") }
func (Words) LogValue() slog.Value           { return slog.StringValue("[words]") }
func (Words) MarshalJSON() ([]byte, error)   { return nil, errWords }
func (Words) MarshalText() ([]byte, error)   { return nil, errWords }
func (Words) MarshalBinary() ([]byte, error) { return nil, errWords }

// Level says how serious typed words are (S12).
type Level uint8

const (
	None       Level = iota
	Worry            // something is hard, nothing says danger
	Disclosure       // abuse, violence or neglect is told
	Acute            // danger now
)

func (l Level) String() string {
	return [...]string{"none", "worry", "disclosure", "acute"}[l]
}

// Understanding is what the pure readers made of typed words: closed lists
// only, never the words themselves (S10).
type Understanding struct {
	Level    Level
	Help     bool     // asks for help by a word for it, in any language (S1)
	Topics   []string // ids of flows/content/index.yaml, the best first
	Ask      string   // a question or a theme that index.yaml has an answer to, where no harm is told
	Routines []string // for professionals, the best first
	Place    string   // a municipality number, if a place was named
	Area     string   // a part of that municipality
	Personal []string // kinds of personal data noticed and dropped (D10)
	Language string   // the language the deciding phrase was in
	Why      []string // ids of the phrases and examples that decided (S18)
	Unsure   bool     // Routines are to choose from
	Parent   bool     // an adult tells that it hurts its own child (S16)
	Self     bool     // asked at the desk, but worded as by somebody it happens to (S10)
}
