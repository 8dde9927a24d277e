package flows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trygg/flows"
)

const indexYAML = `
start: hello/one
home: menu/main
language: tongue/choose
privacy: who/short
topics: {rights: rights/menu, fear: rights/heard}
`

var small = map[string]string{
	"index.yaml": indexYAML,
	"hello.yaml": `
flow: hello
for: child
start: one
states:
  one:
    say: hello.one
    buttons: [[next]]
    go: {next: band}
  band:
    say: hello.band
    buttons: [[b6, b16], [skip]]
    go: {b6: place, b16: place, skip: place}
    do: {b6: band 6-9, b16: band 16-18, skip: band none}
  place:
    say: hello.place
    typing: true
    list: municipalities
    buttons: [[skip]]
    go: {place: menu/, skip: menu/, words: lost}
    do: {place: tenant named, skip: tenant none}
  lost:
    say: hello.lost
    buttons: [[skip]]
    go: {skip: menu/}
`,
	"menu.yaml": `
flow: menu
for: child
start: main
states:
  main:
    say: menu.main
    buttons: [[rights], [{event: grown, when: {band: [16-18]}}, {event: news, when: {channel: [telegram]}}, {event: feedback, when: {switch: feedback}}]]
    go: {rights: rights/, grown: rights/heard, news: rights/, feedback: rights/}
`,
	"rights.yaml": `
flow: rights
for: child
start: menu
states:
  menu:
    say: [rights.menu, rights.two]
    buttons: [[heard, private], [quit]]
    go: {quit: done}
  heard:
    say: rights.heard
    was: [listened_to]
    buttons: [[private, menu]]
  private:
    say: rights.private
    buttons: [[menu], [burn]]
    go: {burn: menu}
    do: {burn: erase}
`,
	"tongue.yaml": `
flow: tongue
for: child
start: choose
states:
  choose:
    say: tongue.choose
    buttons: [[nb, en, ar]]
    go: {nb: done, en: done, ar: done}
    do: {nb: locale nb, en: locale en, ar: locale ar}
`,
	"who.yaml": `
flow: who
for: child
start: short
states:
  short:
    say: who.short
    buttons: [[back_there]]
    go: {back_there: done}
`,
}

var places = []flows.Named{{Number: "5501", Name: "Tromsø"}, {Number: "0301", Name: "Oslo"}, {Number: "4601", Name: "Bergen"}}

func files(m map[string]string) fstest.MapFS {
	fs := fstest.MapFS{}
	for name, text := range m {
		fs[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fs
}

func library(t testing.TB) *flows.Library {
	t.Helper()
	l, problems := flows.Load(files(small), places)
	if len(problems) > 0 {
		t.Fatalf("content has problems: %v", problems)
	}
	return l
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// chat drives one session; every step goes through the stored form, and the
// argument must stay as it was.
type chat struct {
	t     testing.TB
	l     *flows.Library
	s     flows.Session
	env   flows.Env
	steps int
	fx    []flows.Effect
	err   error
}

func newChat(t testing.TB, l *flows.Library) *chat {
	c := &chat{t: t, l: l, env: flows.Env{Channel: "web"}}
	c.s = l.New("nb", flows.Input{At: noon, Next: "s0"})
	return c
}

func (c *chat) do(in flows.Input) *chat {
	c.t.Helper()
	c.steps++
	in.At, in.Next, in.Env = noon.Add(time.Duration(c.steps)*time.Second), fmt.Sprintf("s%d", c.steps), c.env
	c.s = stored(c.t, c.s)
	before := stored(c.t, c.s)
	next, fx, err := c.l.Step(c.s, in)
	if d := cmp.Diff(before, c.s); d != "" {
		c.t.Fatalf("Step changed its argument: %s", d)
	}
	c.s, c.fx, c.err = next, fx, err
	return c
}

func (c *chat) press(events ...string) *chat {
	c.t.Helper()
	for _, e := range events {
		c.do(flows.Input{Event: e, Screen: c.s.Screen})
		if c.err != nil {
			c.t.Fatalf("%q in %s: %v", e, c.s.Place, c.err)
		}
	}
	return c
}

func (c *chat) at(place string) *chat {
	c.t.Helper()
	if got := c.s.Place.String(); got != place {
		c.t.Fatalf("at %s, want %s", got, place)
	}
	return c
}

func (c *chat) said() flows.Say {
	for _, e := range c.fx {
		if s, ok := e.(flows.Say); ok {
			return s
		}
	}
	return flows.Say{}
}

func (c *chat) offers() []string {
	var out []string
	for _, row := range c.said().Buttons {
		for _, b := range row {
			out = append(out, b.Event)
		}
	}
	return out
}

func stored(t testing.TB, s flows.Session) flows.Session {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back flows.Session
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestStep(t *testing.T) {
	l := library(t)
	t.Run("a new chat comes to the menu in three taps", func(t *testing.T) {
		c := newChat(t, l).press("next", "b6", "t-5501").at("menu/main")
		if c.s.Band != "6-9" || c.s.Tenant != "5501" {
			t.Errorf("band %q tenant %q", c.s.Band, c.s.Tenant)
		}
	})
	t.Run("a call comes back to the caller", func(t *testing.T) {
		newChat(t, l).press(flows.Home, "rights", "heard", "private", "menu", "quit").at("menu/main")
	})
	t.Run("back goes the way one came, over a call too", func(t *testing.T) {
		newChat(t, l).press(flows.Home, "rights", "heard", "private", flows.Back).at("rights/heard").
			press(flows.Back).at("rights/menu").press(flows.Back).at("menu/main")
	})
	t.Run("back never goes round in circles", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home, "rights")
		for range 30 {
			c.press("heard", "private", "menu")
		}
		c.press(flows.Back).at("menu/main")
	})
	t.Run("the language is chosen in the middle and the place is kept", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home, "rights", "heard", flows.Language).at("tongue/choose").press("ar").at("rights/heard")
		if c.s.Locale != "ar" {
			t.Errorf("locale %q, want ar", c.s.Locale)
		}
	})
	t.Run("privacy is read in the middle and the place is kept", func(t *testing.T) {
		newChat(t, l).press(flows.Home, "rights", "heard", flows.Privacy, "back_there").at("rights/heard")
	})
	t.Run("starting over keeps the language and nothing else", func(t *testing.T) {
		c := newChat(t, l).press("next", "b16", "t-0301", flows.Restart).at("hello/one")
		if c.s.Band != "" || c.s.Tenant != "" || len(c.s.Path) != 0 || c.s.Locale != "nb" {
			t.Errorf("left over: %+v", c.s)
		}
	})
	t.Run("an old button is stale and shows the present screen", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home)
		old := c.s.Screen
		c.press("rights").do(flows.Input{Event: "rights", Screen: old})
		if !errors.Is(c.err, flows.ErrStale) || c.s.State != "menu" || c.said().Messages[0] != "rights.menu" {
			t.Errorf("err %v at %s said %v", c.err, c.s.Place, c.said().Messages)
		}
	})
	t.Run("an unknown event changes nothing", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home)
		for _, e := range []string{"", "nope", "t-9999", "q-nope", strings.Repeat("x", 64), "\x00", "heard"} {
			c.do(flows.Input{Event: e, Screen: c.s.Screen})
			if !errors.Is(c.err, flows.ErrStale) || c.s.Place.String() != "menu/main" {
				t.Errorf("%q: %v at %s", e, c.err, c.s.Place)
			}
		}
	})
	t.Run("a hidden choice cannot be pressed by hand", func(t *testing.T) {
		c := newChat(t, l).press("next", "b6", "skip").at("menu/main")
		if slices.Contains(c.offers(), "grown") {
			t.Error("6-9 is offered what is for 16-18")
		}
		c.do(flows.Input{Event: "grown", Screen: c.s.Screen})
		if !errors.Is(c.err, flows.ErrStale) {
			t.Errorf("pressed anyway: %v", c.err)
		}
	})
	t.Run("choices depend on band, channel and switch", func(t *testing.T) {
		c := newChat(t, l)
		c.env = flows.Env{Channel: "telegram", Switches: map[string]bool{"feedback": true}}
		c.press("next", "b16", "skip")
		if d := cmp.Diff([]string{"rights", "grown", "news", "feedback"}, c.offers()); d != "" {
			t.Error(d)
		}
	})
	t.Run("a language that is off is not offered and cannot be chosen", func(t *testing.T) {
		c := newChat(t, l)
		c.env.Locales = map[string]bool{"nb": true, "en": true}
		c.press(flows.Language)
		if d := cmp.Diff([]string{"nb", "en"}, c.offers()); d != "" {
			t.Error(d)
		}
		if c.do(flows.Input{Event: "ar", Screen: c.s.Screen}); c.s.Locale != "nb" {
			t.Error("a language that is off was chosen")
		}
	})
	t.Run("erase and hide end the session from any screen, also an old one", func(t *testing.T) {
		for _, e := range []string{flows.Erase, flows.Hide, flows.Idle} {
			c := newChat(t, l).press(flows.Home, "rights").do(flows.Input{Event: e, Screen: "long ago"})
			if c.s.Schema != 0 || c.err != nil {
				t.Errorf("%s: session %+v, err %v", e, c.s, c.err)
			}
		}
	})
	t.Run("an author's button may erase", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home, "rights", "private", "burn")
		if c.s.Schema != 0 || !slices.Contains(c.fx, flows.Effect(flows.Forget{})) {
			t.Errorf("session %+v effects %v", c.s, c.fx)
		}
	})
}

func TestTypedWords(t *testing.T) {
	l := library(t)
	typed := func(u flows.Understanding) flows.Input { return flows.Input{Event: flows.Typed, Understanding: u} }
	t.Run("a place that was asked for goes on", func(t *testing.T) {
		c := newChat(t, l).press("next", "skip").at("hello/place").do(typed(flows.Understanding{Place: "0301", Area: "oslo-x"})).at("menu/main")
		if c.s.Tenant != "0301" || c.s.Area != "oslo-x" {
			t.Errorf("tenant %q area %q", c.s.Tenant, c.s.Area)
		}
	})
	t.Run("another place leads where the flow says", func(t *testing.T) {
		newChat(t, l).press("next", "skip").do(typed(flows.Understanding{})).at("hello/lost")
	})
	t.Run("one topic is shown, and the place is kept", func(t *testing.T) {
		newChat(t, l).press(flows.Home).do(typed(flows.Understanding{Topics: []string{"rights"}})).at("rights/menu").press(flows.Back).at("menu/main")
	})
	t.Run("several topics are offered as choices", func(t *testing.T) {
		c := newChat(t, l).press(flows.Home).do(typed(flows.Understanding{Topics: []string{"fear", "smalltalk", "rights"}})).at("menu/main")
		if d := cmp.Diff([]string{"q-fear", "q-rights", "rights"}, c.offers()); d != "" {
			t.Error(d)
		}
		c.press("q-fear").at("rights/heard")
	})
	t.Run("F40 F47: what nobody understands repeats the choices with a kind line", func(t *testing.T) {
		for _, place := range [][]string{nil, {flows.Home}, {flows.Home, "rights", "heard"}} {
			c := newChat(t, l).press(place...)
			was := c.s.Place
			c.do(typed(flows.Understanding{}))
			if c.s.Place != was || len(c.offers()) == 0 || !slices.Equal(c.said().Before, []string{"engine.unsure"}) {
				t.Errorf("in %s: at %s, %+v", was, c.s.Place, c.said())
			}
		}
	})
}

// F28: a chat that stands in a state which new content does not have goes to
// the nearest place that does.
func TestF28_aStateThatIsGone(t *testing.T) {
	l := library(t)
	for _, tt := range []struct {
		name string
		s    flows.Session
		want string
	}{
		{"a renamed state", flows.Session{Place: flows.Place{Flow: "rights", State: "listened_to"}}, "rights/heard"},
		{"a removed state", flows.Session{Place: flows.Place{Flow: "rights", State: "gone"}}, "rights/menu"},
		{"a removed flow", flows.Session{Place: flows.Place{Flow: "gone", State: "x"}, Path: []flows.Crumb{{Place: flows.Place{Flow: "rights", State: "heard"}}, {Place: flows.Place{Flow: "gone", State: "y"}}}}, "rights/heard"},
		{"nothing left", flows.Session{Place: flows.Place{Flow: "gone", State: "x"}}, "hello/one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newChat(t, l)
			tt.s.Schema, tt.s.Screen = flows.Schema, "s0"
			c.s = tt.s
			c.do(flows.Input{Event: flows.Show, Screen: "s0"}).at(tt.want)
		})
	}
}

func TestF14_F15_anUnknownSchemaCountsAsAbsent(t *testing.T) {
	l := library(t)
	for _, schema := range []int{-1, 0, flows.Schema + 1} {
		c := newChat(t, l)
		c.s.Schema, c.s.Place = schema, flows.Place{Flow: "rights", State: "heard"}
		c.do(flows.Input{Event: flows.Show}).at("hello/one")
	}
}

// Whatever is pressed, in whatever order: no panic, help is always offered, a
// session stays small, and the same input gives the same answer twice.
func TestAnyPresses(t *testing.T) {
	l := library(t)
	events := append([]string{"next", "b6", "b16", "skip", "t-5501", "t-0000", "rights", "grown", "news", "heard", "private", "menu", "quit", "burn", "nb", "ar", "q-rights", "q-", "", "back_there", flows.Typed, flows.Show, flows.Idle}, flows.System...)
	rapid.Check(t, func(t *rapid.T) {
		s := l.New("nb", flows.Input{At: noon, Next: "s"})
		for i := range rapid.IntRange(1, 60).Draw(t, "n") {
			in := flows.Input{
				Event: rapid.SampledFrom(events).Draw(t, "event"), At: noon.Add(time.Duration(i) * time.Second), Next: fmt.Sprint(i),
				Env:    flows.Env{Channel: rapid.SampledFrom([]string{"web", "telegram"}).Draw(t, "channel")},
				Screen: rapid.SampledFrom([]string{"", s.Screen, "old"}).Draw(t, "screen"),
				Understanding: flows.Understanding{Place: rapid.SampledFrom([]string{"", "0301", "9999"}).Draw(t, "place"),
					Topics: rapid.SliceOfN(rapid.SampledFrom([]string{"rights", "fear", "x"}), 0, 3).Draw(t, "topics")},
			}
			next, fx, err := l.Step(s, in)
			again, fx2, _ := l.Step(s, in)
			if d := cmp.Diff([]any{next, fx}, []any{again, fx2}); d != "" {
				t.Fatalf("the same input gave another answer: %s", d)
			}
			if err != nil && !errors.Is(err, flows.ErrStale) {
				t.Fatal(err)
			}
			if next.Schema == 0 {
				next = l.New("nb", in)
				fx = l.Show(next, in.Env)
			}
			for _, e := range fx {
				if say, ok := e.(flows.Say); ok && (len(say.System) == 0 || say.System[0] != flows.Help || len(say.Messages) == 0) {
					t.Fatalf("no help, or no words, in %s: %+v", next.Place, say)
				}
			}
			b, _ := json.Marshal(next)
			if len(b) > 900 {
				t.Fatalf("session of %d bytes: %s", len(b), b)
			}
			s = next
		}
	})
}

func TestBearing(t *testing.T) {
	l := library(t)
	t.Run("a screen that was never stored can be gone on from", func(t *testing.T) {
		c := newChat(t, l).press("next", "b16", "t-0301", "rights", "heard")
		b := l.Bearing(c.s, noon)
		if len(b) > 40 {
			t.Errorf("%q is %d bytes", b, len(b))
		}
		s, at, ok := l.Resume(b, flows.Input{At: noon})
		if !ok || !at.Equal(noon) || s.Place != c.s.Place || s.Band != "16-18" || s.Tenant != "0301" || s.Locale != "nb" {
			t.Errorf("%q gave %+v at %s, %t", b, s, at, ok)
		}
	})
	t.Run("anything else counts as stale", func(t *testing.T) {
		for _, b := range []string{"", "~", "~nb", "~nb.9..x.y", "~nb.1.9999.zz.0", "~<b>.0..0.0", "~nb.0..nowhere.0", strings.Repeat("~", 100), "~nb.-1..0.0", "~nb.0..0.-1"} {
			if s, _, ok := l.Resume(b, flows.Input{}); ok {
				t.Errorf("%q gave %+v", b, s)
			}
		}
	})
}

func FuzzResume(f *testing.F) {
	l := library(f)
	f.Add("~nb.1.0301.k3x9q.t5m2a0")
	f.Add(l.Bearing(l.New("nb", flows.Input{}), noon))
	f.Fuzz(func(t *testing.T, screen string) {
		if s, _, ok := l.Resume(screen, flows.Input{}); ok {
			if _, _, err := l.Step(s, flows.Input{Event: flows.Show}); err != nil {
				t.Errorf("%q: %v", screen, err)
			}
		}
	})
}

func TestWordsCannotLeak(t *testing.T) {
	type update struct{ Words flows.Words }
	w := flows.NewWords("canary")
	u := update{w}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "w", w, "u", u)
	for _, got := range []string{fmt.Sprint(w), fmt.Sprintf("%+v %#v %q %s %x", u, u, w, w, w), fmt.Sprint(u), log.String()} {
		if strings.Contains(got, "canary") {
			t.Errorf("leaked: %s", got)
		}
	}
	if b, err := json.Marshal(u); err == nil {
		t.Errorf("stored as %s", b)
	}
}

func BenchmarkStep(b *testing.B) {
	l := library(b)
	s := l.New("nb", flows.Input{At: noon, Next: "s"})
	s, _, _ = l.Step(s, flows.Input{Event: flows.Home, At: noon, Next: "1"})
	s, _, _ = l.Step(s, flows.Input{Event: "rights", At: noon, Next: "2"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.Step(s, flows.Input{Event: "heard", Screen: "2", At: noon, Next: "3"}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStepIsCheap(t *testing.T) {
	l := library(t)
	s := l.New("nb", flows.Input{At: noon, Next: "s"})
	s, _, _ = l.Step(s, flows.Input{Event: flows.Home, At: noon, Next: "1"})
	if n := testing.AllocsPerRun(100, func() { l.Step(s, flows.Input{Event: "rights", Screen: "1", At: noon, Next: "2"}) }); n > 30 {
		t.Errorf("%v allocations a step, want at most 30", n)
	}
}

// Two fields of one name in the stored form would silently keep neither.
func TestEveryFieldOfASessionIsStored(t *testing.T) {
	s := flows.Session{
		Schema: flows.Schema, Place: flows.Place{Flow: "work", State: "desk", Page: "r.injury"},
		Path:   []flows.Crumb{{Place: flows.Place{Flow: "menu", State: "main", Page: "t"}, Call: true}},
		Locale: "nb", Band: "6-9", Tenant: "0301", Area: "02", Role: "role-skole", Fresh: true, Linger: true, Screen: "x",
		StartedAt: time.Unix(1, 0).UTC(), UpdatedAt: time.Unix(2, 0).UTC(),
	}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not tried here", v.Type().Field(i).Name)
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back flows.Session
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Error(diff)
	}
}
