package flows

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Library is all conversations, read and checked as a whole and ready to run.
// It is immutable, so sessions of all chats share one.
type Library struct {
	flows   map[string]*Flow
	order   []string
	index   index
	named   []Named
	numbers map[string]bool
	codes   map[Place]string
	byCode  map[string]Place
	readers map[Place]Readers
	desk    Desk // nil = none
}

// index is flows/content/index.yaml: the places the engine itself leads to.
type index struct {
	start, home, language, privacy Place
	work                           Place // where professionals begin; zero = nowhere
	topics                         map[string]Place
	topicOrder                     []string
	asks                           map[string]Place // what a child asks the bot, to its answer
	askOrder                       []string
}

// Named is an entry of a list that states may offer as buttons.
type Named struct{ Number, Name string }

// Load reads every flow of content (*.yaml at its top) and checks them
// together. With any problem there is no library: content is taken as a whole
// or not at all (D3, F59). municipalities is what `list: municipalities` offers.
func Load(content fs.FS, municipalities []Named) (*Library, []Problem) {
	l, problems := Check(content, municipalities)
	if len(problems) > 0 {
		return nil, problems
	}
	return l, nil
}

// Check reads content as Load does and gives what could be read of it together
// with the problems, for checks that look further. A library that has problems
// is for looking at, not for running.
func Check(content fs.FS, municipalities []Named) (*Library, []Problem) {
	l := &Library{flows: map[string]*Flow{}, named: municipalities, numbers: map[string]bool{}}
	for _, m := range municipalities {
		l.numbers[m.Number] = true
	}
	files, err := fs.Glob(content, "*.yaml")
	if err != nil || len(files) == 0 {
		return l, []Problem{{File: ".", Text: "no content: want *.yaml files with flows"}}
	}
	var problems []Problem
	var head []byte
	broken := map[string]bool{} // flows that cannot be read at all
	for _, file := range files {
		b, err := fs.ReadFile(content, file)
		if err != nil {
			problems = append(problems, Problem{File: file, Text: "cannot be read: " + err.Error()})
			continue
		}
		if file == indexFile {
			head = b
			continue
		}
		f, ps := parseFlow(file, b)
		problems = append(problems, ps...)
		if f == nil || f.Name != nameOf(file) || len(f.States) == 0 {
			broken[nameOf(file)] = true
		}
		if f == nil || f.Name == "" || len(f.States) == 0 {
			continue
		}
		if l.flows[f.Name] != nil {
			problems = append(problems, Problem{File: file, Text: fmt.Sprintf("flow %q stands twice, also in %s", f.Name, l.flows[f.Name].file)})
			continue
		}
		l.flows[f.Name] = f
		l.order = append(l.order, f.Name)
	}
	if head == nil {
		problems = append(problems, Problem{File: indexFile, Text: "is missing: it says where a chat starts (start, home, language, privacy, topics)"})
	} else {
		problems = append(problems, l.parseIndex(head, broken)...)
	}
	problems = append(problems, l.check(broken, head == nil || len(problems) > 0)...)
	slices.SortStableFunc(problems, compare)
	if len(problems) == 0 {
		for _, f := range l.flows {
			f.machines = newMachines(f)
		}
		l.number()
	}
	return l, slices.Compact(problems)
}

// compare orders problems by where they stand.
func compare(a, b Problem) int {
	return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Text, b.Text))
}

const indexFile = "index.yaml"

func (l *Library) parseIndex(b []byte, broken map[string]bool) []Problem {
	src := &source{name: indexFile}
	root, ok := src.parse(b)
	if !ok {
		return src.problems
	}
	l.index.topics, l.index.asks = map[string]Place{}, map[string]Place{}
	missing := map[string]bool{"start": true, "home": true, "language": true, "privacy": true}
	for _, p := range root.pairs("index", "start", "home", "language", "privacy", "work", "topics", "asks") {
		delete(missing, p.key)
		if p.key == "topics" {
			for _, t := range p.value.pairs("topics") {
				l.index.topics[t.key] = l.place(t.value, "topic "+t.key, broken)
				l.index.topicOrder = append(l.index.topicOrder, t.key)
			}
			continue
		}
		if p.key == "asks" {
			for _, t := range p.value.pairs("asks") {
				l.index.asks[t.key] = l.place(t.value, "question "+t.key, broken)
				l.index.askOrder = append(l.index.askOrder, t.key)
			}
			continue
		}
		to := l.place(p.value, p.key, broken)
		switch p.key {
		case "start":
			l.index.start = to
		case "home":
			l.index.home = to
		case "language":
			l.index.language = to
		case "privacy":
			l.index.privacy = to
		case "work":
			l.index.work = to
		}
	}
	for _, p := range src.problems {
		delete(missing, p.Suggestion) // told as misspelt
	}
	for _, k := range keys(missing) {
		src.at(nil, "%s: is missing: want flow/state", k)
	}
	return src.problems
}

func (l *Library) place(n node, what string, broken map[string]bool) Place {
	s, _ := n.text(what)
	flow, state, ok := strings.Cut(s, "/")
	f := l.flows[flow]
	switch {
	case !ok:
		n.problem("%s: want flow/state, got %q", what, s)
	case broken[flow]:
	case f == nil:
		n.problem("%s: %q is not a flow%s", what, flow, suggest(flow, keys(l.flows)))
	case f.state[state] == nil:
		n.problem("%s: %q is not a state of %s%s", what, state, flow, suggest(state, f.stateNames()))
	}
	return Place{Flow: flow, State: state}
}

// Flows gives the flows in the order of their files; they are not to be changed.
func (l *Library) Flows() []*Flow {
	fs := make([]*Flow, len(l.order))
	for i, n := range l.order {
		fs[i] = l.flows[n]
	}
	return fs
}

// Leads tells whether typed words lead to a place of their own.
func (l *Library) Leads(u Understanding) bool {
	return slices.ContainsFunc(append([]string{u.Ask}, u.Topics...), func(t string) bool { _, ok := l.leads(t); return ok })
}

// leads gives where a topic or a question leads.
func (l *Library) leads(id string) (Place, bool) {
	if to, ok := l.index.asks[id]; ok {
		return to, true
	}
	to, ok := l.index.topics[id]
	return to, ok
}

// Asks gives the questions that have a place of their own.
func (l *Library) Asks() []string { return slices.Clone(l.index.askOrder) }

// Topics gives the topics typed words can lead to.
func (l *Library) Topics() []string { return slices.Clone(l.index.topicOrder) }

// Start gives the place a new chat begins at; Home the main menu.
func (l *Library) Start() Place { return l.index.start }
func (l *Library) Home() Place  { return l.index.home }

// Everybodys tells whether a place is in the flows in which the language is
// chosen and in which it is told who can know what: they are for all readers.
func (l *Library) Everybodys(p Place) bool {
	return p.Flow != l.index.home.Flow && p.Flow != l.index.start.Flow && (p.Flow == l.index.language.Flow || p.Flow == l.index.privacy.Flow)
}

// Work gives the place professionals begin at; false when there is none.
func (l *Library) Work() (Place, bool) { return l.index.work, l.index.work != Place{} }

// Lists tells whether a municipality is one of those that are offered.
func (l *Library) Lists(number string) bool { return l.numbers[number] }

// For tells whom the flow a session stands in is for; a place that does not
// exist is the child's.
func (l *Library) For(s Session) string {
	if f := l.flows[s.Flow]; f != nil {
		return f.For
	}
	return ForChild
}

func (l *Library) state(p Place) *State {
	if f := l.flows[p.Flow]; f != nil {
		return f.state[p.State]
	}
	return nil
}

// resolve fills in the start state of a bare "flow/".
func (l *Library) resolve(p Place) Place {
	if p.State == "" {
		if f := l.flows[p.Flow]; f != nil {
			p.State = f.Start
		}
	}
	return p
}
