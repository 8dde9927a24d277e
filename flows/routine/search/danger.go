package search

import (
	"slices"
	"strings"

	"trygg/flows"
)

// warn puts immediate danger first (S10). The reader of children's words finds
// danger in much that staff tell in the past tense; where nothing else in the
// question speaks for danger now, or it speaks of suicide, the routine that fits
// stays first, and immediate danger stands among the first three. Danger is told in any case.
func (ix *Index) warn(a analysis, u flows.Understanding, own float64, r *Result) {
	if u.Level != flows.Acute || !slices.Contains(spoken, u.Language) {
		return
	}
	r.Danger = true
	if ix.danger < 0 {
		return
	}
	at := 0
	if len(r.IDs) > 0 && !r.FirstPerson && !slices.Contains(r.IDs[:1], Danger) {
		suicide := r.IDs[0] == Suicide && !ix.has(a, "now")
		switch {
		case suicide:
			at = 1
		case own < weights.danger:
			at = 2
		}
	}
	r.first(Danger, at)
	if r.Unsure {
		r.cut(3)
	}
	for _, w := range u.Why {
		r.Why = append(r.Why, "danger/"+w)
	}
}

// spoken are the languages questions are asked in. The reader knows more, and
// may take a Norwegian word for one of another language.
var spoken = []string{"nb", "nn", "en", ""}

// told are the routines for what the reader of children's words understood. They
// are offered where nothing else is found.
var told = map[string]string{
	"violence-physical": "sit-told-violence-home", "violence-psychological": "sit-told-violence-home",
	"violence-witness": "sit-witness", "neglect": "sit-neglect", "sexual-abuse": "sit-told-sexual-abuse",
	"abuse-online": "sit-grooming", "negative-social-control": "sit-honour-control", "forced-marriage": "sit-honour-control",
	"fgm": "sit-fgm", "dating-violence": "sit-dating-violence", "bullying": "sit-peer-violence",
	"violence-by-professional": "sit-staff-abuse", "suicide-selfharm": Suicide,
}

// offer gives the routine for what was understood of harm, where the search
// itself found nothing, and the one for a worry.
func (ix *Index) offer(u flows.Understanding, r *Result) {
	if len(r.IDs) > 0 || u.Level < flows.Disclosure || !slices.Contains(spoken, u.Language) {
		return
	}
	for _, t := range u.Topics {
		if _, ok := ix.byID[told[t]]; ok && !slices.Contains(r.IDs, told[t]) && len(r.IDs) < 2 {
			r.add(told[t], 0.5)
			r.Why = append(r.Why, "topic/"+t)
		}
	}
	if _, ok := ix.byID[Concern]; ok && len(r.IDs) > 0 {
		r.add(Concern, 0.4)
		r.Unsure = true
	}
}

// has tells whether a word means a concept.
func (ix *Index) has(a analysis, concept string) bool {
	c, ok := ix.x.byName[concept]
	for i := range a.tokens {
		if ok && slices.Contains(a.tokens[i].concepts, c) {
			return true
		}
	}
	return false
}

// ask adds the entry "term" when the question is about a word of the field: what
// it means, or nothing but the word.
func (ix *Index) ask(a analysis, text string, r *Result) {
	key := termKey(text)
	inner, framed := unframe(key)
	for _, t := range ix.terms[inner] {
		r.Terms = append(r.Terms, t.ID)
	}
	talk := framed && len(r.Terms) > 0
	if len(r.Terms) == 0 && ix.has(a, "wordtalk") {
		for _, t := range ix.named(key) {
			r.Terms = union1(r.Terms, t.ID)
		}
		talk = len(r.Terms) > 0
	}
	if len(r.Terms) == 0 {
		return
	}
	switch {
	case talk:
		r.first(TermID, 0)
	case len(r.IDs) == 0:
		r.add(TermID, 0.8)
	case !slices.Contains(r.IDs, TermID):
		r.first(TermID, min(2, len(r.IDs)))
	}
	r.Why = append(r.Why, "term/"+r.Terms[0])
}

// frame are the words that ask what a word means.
var frame = strings.Fields("hva kva ka er en et ei ein eit egentlig eigentleg betyr tyder ordet begrepet omgrepet forkortelsen forkortinga oversett oversette omset translate what is a an the word term does mean define definisjon definisjonen av definition of meaning")

// unframe takes the words that ask around a word away: "hva er en ansvarsgruppe".
// A lone article does not ask.
func unframe(key string) (inner string, asks bool) {
	words := strings.Fields(key)
	n := len(words)
	for len(words) > 1 && slices.Contains(frame, words[0]) {
		words = words[1:]
	}
	for len(words) > 1 && slices.Contains(frame, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " "), n-len(words) >= 1
}

// named finds the longest words of the field that stand in a folded text.
func (ix *Index) named(key string) []Term {
	words := strings.Fields(key)
	for n := min(5, len(words)); n > 0; n-- {
		var out []Term
		for i := 0; i+n <= len(words); i++ {
			w := strings.Join(words[i:i+n], " ")
			if n == 1 && (ix.x.stop[no][w] || ix.x.stop[en][w]) {
				continue
			}
			out = append(out, ix.terms[w]...)
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

func termKey(s string) string {
	var ws []string
	for _, w := range cut(fold(s)) {
		if w != "" {
			ws = append(ws, w)
		}
	}
	return strings.Join(ws, " ")
}

// Words that show who writes: about themselves, or about a child in their care.
var (
	object = strings.Fields("meg mæ mei mæg me oss")
	myself = strings.Fields("jeg eg æ i im me")
	theirs = strings.Fields("elev eleven elevar barnet barna borna jenta gutten guten jente gutt pupil student child kollega sjef rektor styrer colleague boss kid boy girl klassen barnehagen sfo forteller fortel fortalte fortalde tells told sier seier says said sa ungen unge pasient pasienten patient coach trener meldt meldte melding foreldrene foreldra parents parent promise")
)

// harms are the concepts of what is done to somebody.
var harms = []string{"hit", "violence", "threat", "touch", "rape", "sexual", "choke", "kick", "grab", "lockup", "kill", "beatenup", "force", "extort"}

// firstPerson tells whether a question is worded as by somebody it happens to:
// harm with "me" after it, or with "I" before it ("I am beaten"). It only opens
// a door, so it may be wrong.
func (ix *Index) firstPerson(a analysis, u flows.Understanding) bool {
	for i := range a.tokens {
		if w := a.tokens[i].word; slices.Contains(theirs, w) || strings.Contains(w, "åring") || strings.Contains(w, "klassing") {
			return false
		}
	}
	if u.Level < flows.Worry {
		return false
	}
	suicide, ok := ix.x.byName["suicide"]
	for i := range a.tokens {
		t := &a.tokens[i]
		harm := slices.ContainsFunc(harms, func(h string) bool {
			c, ok := ix.x.byName[h]
			return ok && slices.Contains(t.concepts, c)
		})
		own := ok && slices.Contains(t.concepts, suicide)
		if !harm && !own {
			continue
		}
		for j := i + 1; j < len(a.tokens) && j <= i+3 && harm; j++ {
			if slices.Contains(object, a.tokens[j].word) {
				return true
			}
		}
		for j := i - 1; j >= 0 && j >= i-4; j-- {
			if slices.Contains(myself, a.tokens[j].word) {
				return true
			}
		}
	}
	return false
}
