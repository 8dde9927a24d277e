package search

import (
	"slices"
	"strings"

	"trygg/flows"
)

// warn puts immediate danger first (S10). The reader of children's words finds
// danger in much that staff tell of: "he hits her every weekend", "he threatened
// her last year". Danger now must mean now, or nobody believes it: what was, or
// happens again and again, with nothing that tells of now, is no danger now. The
// routine that fits it comes first, and immediate danger stays among the first
// three, as it also does where only the one reader finds it.
func (ix *Index) warn(a analysis, u flows.Understanding, own float64, r *Result) {
	read := u.Level == flows.Acute && slices.Contains(spoken, u.Language)
	now := ix.has(a, "now") || present(a)
	bygone := ix.has(a, "bygone") && !now && !ix.has(a, "soon")
	// A child that leaves tomorrow may never come back.
	leaves := len(r.IDs) > 0 && (r.IDs[0] == Abroad || r.IDs[0] == FGM) && (now || ix.has(a, "soon"))
	read = read || leaves
	itself := len(r.IDs) > 0 && r.IDs[0] == Danger
	if !read && !itself || ix.danger < 0 {
		r.Danger = read && !bygone
		return
	}
	r.Danger = !bygone
	at := 0
	switch {
	case bygone && itself:
		if len(r.IDs) == 1 {
			return
		}
		r.IDs[0], r.IDs[1] = r.IDs[1], r.IDs[0]
		return
	case bygone:
		at = min(2, len(r.IDs))
	case itself, len(r.IDs) == 0, r.FirstPerson:
	case r.IDs[0] == Suicide:
		if !now && !ix.has(a, "danger") {
			at = 1
		}
	case own >= weights.danger, now && ix.harmed(a):
	case ix.has(a, "soon"):
		at = 1
	default:
		at = 2
	}
	r.first(Danger, at)
	if r.Unsure {
		r.cut(3)
	}
	for _, w := range u.Why {
		r.Why = append(r.Why, "danger/"+w)
	}
}

// present tells whether a text says "now" of what happens, and does not ask what
// to do now.
func present(a analysis) bool {
	asks := false
	for i := range a.tokens {
		t := &a.tokens[i]
		switch {
		case t.end:
			asks = false
		case slices.Contains(questions, t.word):
			asks = true
		case !asks && (t.word == "nå" || t.word == "no" && a.tongue == no && i > 1 || t.word == "now"):
			return true
		}
	}
	return false
}

// questions are words that ask; what stands after them is asked, not told.
var questions = strings.Fields("hva kva hvordan korleis koss skal bør kan må hvem kven what how should must can who where hvor kor")

// harmed tells whether a text speaks of what is done to somebody.
func (ix *Index) harmed(a analysis) bool {
	return slices.ContainsFunc(harms, func(h string) bool { return ix.has(a, h) }) || ix.has(a, "weapon") || ix.has(a, "danger")
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

// opens tells whether the word at i begins what is said: "jeg blir slått", not
// "hva gjør jeg".
func opens(a analysis, i int) bool {
	return i == 0 || a.tokens[i-1].end || slices.Contains(openers, a.tokens[i-1].word)
}

var openers = strings.Fields("at når fordi om hvis viss og men så da blir vert ble blei vart har er that when because if and but so was am got have hei hello")

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
			if slices.Contains(myself, a.tokens[j].word) && opens(a, j) {
				return true
			}
		}
	}
	return false
}
