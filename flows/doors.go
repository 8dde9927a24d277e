package flows

// Door is a place the engine itself leads to, from any screen.
type Door struct {
	Event string // Home, Language, Privacy; "" = a new chat begins here
	Topic string // typed words that are about this topic lead here
	Ask   string // ... or that ask this
	Place Place
}

// Doors gives the places of index.yaml: where a chat begins, where the engine's
// buttons lead, and the topics in the order of the file.
func (l *Library) Doors() []Door {
	all := []Door{
		{Place: l.index.start},
		{Event: Home, Place: l.index.home},
		{Event: Language, Place: l.index.language},
		{Event: Privacy, Place: l.index.privacy},
	}
	for _, t := range l.index.topicOrder {
		all = append(all, Door{Topic: t, Place: l.index.topics[t]})
	}
	for _, a := range l.index.askOrder {
		all = append(all, Door{Ask: a, Place: l.index.asks[a]})
	}
	return all
}
