package routines_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trygg/bot/routines"
	"trygg/flows/content/data"
	"trygg/flows/routine"
)

var (
	idOf   = regexp.MustCompile(` id="([^"]*)"`)
	hrefOf = regexp.MustCompile(` href="([^"]*)"`)
)

// plain is a page without its style and script.
func plain(page string) string {
	for _, tag := range []string{"style", "script"} {
		before, rest, _ := strings.Cut(page, "<"+tag+">")
		_, after, _ := strings.Cut(rest, "</"+tag+">")
		page = before + after
	}
	return page
}

// words is what a page says.
func words(page string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(plain(page), "<") {
		_, text, _ := strings.Cut(part, ">")
		b.WriteString(text)
		b.WriteByte(' ')
	}
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

// whole looks for what no page may hold: a hole in a template, an address that
// the template refused, an id twice.
func whole(t testing.TB, where, page string) {
	t.Helper()
	bare := plain(page)
	for _, bad := range []string{"{{", "ZgotmplZ", "<no value>", "%!", `href=""`, `>pages.`} {
		if strings.Contains(bare, bad) {
			t.Errorf("%s: the page holds %q", where, bad)
		}
	}
	if !strings.Contains(page, "</html>") || !strings.Contains(page, `href="tel:112"`) {
		t.Errorf("%s: the page is not whole, or has no 112", where)
	}
	seen := map[string]bool{}
	for _, m := range idOf.FindAllStringSubmatch(bare, -1) {
		if seen[m[1]] {
			t.Errorf("%s: id %q stands twice", where, m[1])
		}
		seen[m[1]] = true
	}
}

func TestPages_everyRoutineForEveryRoleAndLanguage(t *testing.T) {
	x := newTester(t)
	roles := []string{""}
	for _, r := range x.content.Catalogue.Roles() {
		roles = append(roles, strings.TrimPrefix(r.ID, "role-"))
	}
	for _, r := range x.content.Catalogue.Routines() {
		for _, role := range roles {
			for _, locale := range routine.Locales {
				where := r.ID + " " + role + " " + locale
				w := x.get(routines.Prefix + "rutine/" + r.ID + "?r=" + role + "&s=" + locale)
				page := w.Body.String()
				if w.Code != http.StatusOK {
					t.Fatalf("%s: status %d", where, w.Code)
				}
				whole(t, where, page)
				c := routine.Context{Locale: locale}
				if role != "" {
					c.Role = "role-" + role
				}
				v, _ := x.content.Catalogue.View(r.ID, c)
				said := words(page)
				at := 0
				for _, stop := range v.Stop { // before everything else
					i := strings.Index(said, stop.Text)
					if i < 0 || i > strings.Index(said, v.Now[0].Text.Text) {
						t.Errorf("%s: the stop rule does not stand first", where)
					}
					at = max(at, i)
				}
				for _, s := range slices.Concat(v.Now, v.Steps) {
					i := strings.Index(said, s.Text.Text)
					if i < at {
						t.Errorf("%s: step %s is missing, or out of order", where, s.ID)
					}
					at = i
				}
				for _, k := range v.Calls {
					if k.Number != "" && !strings.Contains(html.UnescapeString(page), `href="tel:`+data.Dial(k.Number)+`"`) {
						t.Errorf("%s: %s cannot be called", where, k.ID)
					}
				}
				for _, text := range []string{v.ValidUntil[:4], v.Owner} {
					if !strings.Contains(said, text) {
						t.Errorf("%s: owner, version or day of review is missing", where)
					}
				}
				if v.Check && !strings.Contains(page, `class="mark check"`) {
					t.Errorf("%s: what is to be checked is not marked", where)
				}
			}
		}
	}
}

func TestPages_theFourViews(t *testing.T) {
	x := newTester(t)
	for _, r := range x.content.Catalogue.Routines() {
		for _, a := range routine.Aspects {
			page := x.get(routines.Prefix + "rutine/" + r.ID + "?v=" + string(a)).Body.String()
			where := r.ID + " " + string(a)
			whole(t, where, page)
			said := words(page)
			sections, _ := x.content.Catalogue.Aspect(r.ID, a, routine.Context{})
			for _, s := range sections {
				if s.ID == "call" {
					continue // looks otherwise here
				}
				for _, l := range s.Lines {
					if !strings.Contains(said, strings.Join(strings.Fields(l.Text), " ")) {
						t.Errorf("%s: %s lacks %q", where, s.ID, l.Text)
					}
				}
			}
			if strings.Contains(page, `class="steps"`) {
				t.Errorf("%s: the steps stand in a view of one thing", where)
			}
		}
	}
}

func TestPages_whatIsInAnotherLanguageSaysSo(t *testing.T) {
	page := newTester(t).get(routines.Prefix + "rutine/sit-injury?s=en").Body.String()
	for _, want := range []string{`<html lang="en">`, "Visible injury", `lang="nb">`, "Only in Norwegian bokmål"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for header, want := range map[string]string{"": "nb", "nn-NO,nn;q=0.9": "nn", "en": "en", "no": "nb", "uk,en;q=0.5": "en", "da;q=1,nn;q=x": "nb", "se": "nb"} {
		r := httptest.NewRequest("GET", routines.Prefix, nil)
		r.Header.Set("Accept-Language", header)
		if page := newTester(t).do(r).Body.String(); !strings.Contains(page, `<html lang="`+want+`">`) {
			t.Errorf("%q is not answered in %s", header, want)
		}
	}
}

// Every link on every page leads to a page, and every place in a page that a
// link names is there. Municipality, role and language are carried along.
func TestPages_everyLinkLeadsSomewhere(t *testing.T) {
	x := newTester(t)
	carried := "k=5501&r=skole&s=nn"
	todo := []string{routines.Prefix + "?" + carried}
	seen := map[string]string{}
	for len(todo) > 0 && len(seen) < 4000 {
		at := todo[0]
		todo = todo[1:]
		if _, ok := seen[at]; ok {
			continue
		}
		w := x.get(at)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", at, w.Code)
			seen[at] = ""
			continue
		}
		page := w.Body.String()
		seen[at] = page
		whole(t, at, page)
		for _, m := range hrefOf.FindAllStringSubmatch(page, -1) {
			to := html.UnescapeString(m[1])
			u, err := url.Parse(to)
			switch {
			case err != nil:
				t.Errorf("%s: address %q", at, to)
			case u.Scheme == "https" || u.Scheme == "tel" || u.Scheme == "data" || to == "/":
			case u.Path == "": // in this page
				if !strings.Contains(page, ` id="`+u.Fragment+`"`) {
					t.Errorf("%s: leads to %q, which is not there", at, to)
				}
			case !strings.HasPrefix(u.Path, routines.Prefix):
				t.Errorf("%s leads to %s", at, to)
			default:
				q := u.Query()
				if q.Get("k") != "5501" || len(q["k"]) != 1 {
					t.Errorf("%s: %s loses the municipality", at, to)
				}
				fragment := u.Fragment
				// One role, one language and few chips are enough to walk.
				if q.Get("r") != "skole" || q.Get("s") != "nn" || strings.Contains(q.Get("f"), ".") || q.Get("f") != "" && q.Get("q") != "" || q.Get("v") != "" && (q.Get("q") != "" || q.Get("f") != "") {
					continue
				}
				if u.Path == routines.Prefix+"tre" || strings.Count(q.Get("q"), ".") > 1 {
					continue // the tree has a test of its own
				}
				u.Fragment = ""
				todo = append(todo, u.String())
				if target, ok := seen[u.String()]; fragment != "" && ok && !strings.Contains(target, ` id="`+fragment+`"`) {
					t.Errorf("%s: leads to %q, which is not there", at, to)
				}
			}
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d pages were reached", len(seen))
	}
}

func TestTree_everyWayLeadsToARoutineOrAnEnd(t *testing.T) {
	x := newTester(t)
	tree := x.content.Catalogue.Tree()
	pages, routinesFound := 0, map[string]bool{}
	var walk func(at string, depth int)
	walk = func(at string, depth int) {
		pages++
		w := x.get(at)
		page := w.Body.String()
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", at, w.Code)
		}
		whole(t, at, page)
		if depth > 7 {
			t.Fatalf("%s: more than six questions", at)
		}
		if !strings.Contains(page, `class="answers"`) {
			if !strings.Contains(page, "18") && !strings.Contains(page, "lov#") {
				t.Errorf("%s: neither question nor end", at)
			}
			return
		}
		// From every question: danger now, and the routine now.
		q := url.QueryEscape(mustQuery(t, at).Get("q"))
		for _, want := range []string{"rutine/" + tree.Danger, "rutine/" + tree.Now} {
			if q != "" {
				want += "?q=" + q
			}
			if !strings.Contains(page, `"`+routines.Prefix+want+`"`) {
				t.Errorf("%s: no way to %s (inv-1, inv-7)", at, want)
			}
		}
		answers := page[strings.Index(page, `class="answers"`):]
		answers = answers[:strings.Index(answers, "</ul>")]
		for _, m := range hrefOf.FindAllStringSubmatch(answers, -1) {
			to := html.UnescapeString(m[1])
			if strings.HasPrefix(to, routines.Prefix+"rutine/") {
				u, _ := url.Parse(to)
				routinesFound[u.Path] = true
				page := x.get(to).Body.String()
				whole(t, to, page)
				if !strings.Contains(page, `class="path`) {
					t.Errorf("%s: the way there is not told", to)
				}
				continue
			}
			walk(to, depth+1)
		}
	}
	walk(routines.Prefix+"tre", 1)
	if len(routinesFound) < 20 {
		t.Errorf("%d pages, only %d routines", pages, len(routinesFound))
	}
}

func mustQuery(t testing.TB, at string) url.Values {
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestTree_theWayDecidesWhatTheRoutineSays(t *testing.T) {
	x := newTester(t)
	stop, _ := x.content.Catalogue.Block("blk-stop-parents")
	for _, c := range []struct {
		name, at string
		want     []string
		stop     bool
	}{
		{"shown at once, the stop rule holds (inv-7)", "rutine/sit-concern?q=no.a-6-11", nil, true},
		{"shown at once, before any question", "rutine/sit-concern?q=x", nil, true},
		{"the age says what the law says of it", "rutine/sit-told-violence-home?q=no.a-12-15.violence.told.home", []string{"part i sin egen sak"}, true},
		{"an answer that sets a flag", "rutine/sit-told-violence-home?q=going-home.a-6-11.violence.told.home", []string{"Ring barnevernet i god tid"}, true},
		{"a chip adds its note and its routine", "rutine/sit-neglect?f=interpreter", []string{"Aldri barn, slektninger", "sit-interpreter"}, false},
		{"a chip that turns the stop rule on", "rutine/sit-neglect?f=honour", []string{"Ingen kontakt med familien"}, true},
		{"what is no chip is left out", "rutine/sit-neglect?f=going-home.<script>.interpreter", []string{"Aldri barn, slektninger"}, false},
		{"an answer that is none ends the way", "tre?q=no.nothing.violence", []string{"Hvor gammelt er barnet"}, false},
		{"a way to its end shows the routine", "tre?q=now", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := x.get(routines.Prefix + c.at)
			for w.Code == http.StatusSeeOther {
				w = x.get(w.Header().Get("Location"))
			}
			page := words(w.Body.String())
			for _, want := range c.want {
				if !strings.Contains(page+w.Body.String(), want) {
					t.Errorf("no %q", want)
				}
			}
			if got := strings.Contains(page, stop.Lines[0].NB); c.stop && !got {
				t.Error("the stop rule is not there")
			}
			if strings.Contains(w.Body.String(), "<script>.") {
				t.Error("the address stands in the page")
			}
		})
	}
}

// questions are invented; want must be said, and of the question nothing may be.
var questions = []struct {
	name, text string
	want, no   []string
	first      string // the address that must come first
	kinds      []routines.Kind
}{
	{
		name: "one clear answer", text: "en elev i femte har fortalt at stefaren slår", first: "rutine/sit-told-violence-home",
		want: []string{"Dette passer best"}, no: []string{"Handler det om deg", "Ring 112"}, kinds: []routines.Kind{routines.Asked},
	},
	{
		name: "danger goes first", text: "faren står i garderoben med kniv og truer jenta akkurat nå", first: "rutine/sit-acute-danger",
		want: []string{"Ring 112"}, kinds: []routines.Kind{routines.Danger},
	},
	{
		name: "somebody it happens to is offered the page for children", text: "mamma slår meg når hun er full",
		want: []string{"Handler det om deg selv?"}, kinds: []routines.Kind{routines.Self},
	},
	{
		name: "nothing fits, and it says so", text: "hvilken sykkel bør jeg kjøpe til påskeferien",
		want: []string{"Vi fant ingen rutine som passer", "Barnevernet", "02800"}, kinds: []routines.Kind{routines.Nothing},
	},
	{
		name: "personal data is noticed and the question answered", text: "Ola Nordmann 91234567 har blåmerker på ryggen, hva gjør vi i barnehagen",
		first: "rutine/sit-injury", want: []string{"tok det bort", "telefonnummer", "navn", "Det er ikke lagret"}, no: []string{"Nordmann", "9123"},
		kinds: []routines.Kind{routines.Personal},
	},
	{name: "a time limit", text: "hvor lang frist har barnevernet på å svare på meldingen", want: []string{"Frister"}, first: "frister"},
	{name: "somebody to call", text: "telefonnummer til legevakt", want: []string{"116 117"}},
	{name: "English", text: "a girl in my class has bruises on her back", first: "rutine/sit-injury"},
	{name: "nothing but spaces is the start", text: " \t\n"},
}

func TestFind_everythingAQuestionCanLeadTo(t *testing.T) {
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			x := newTester(t)
			w := x.post(routines.Prefix+"finn?r=skole", "q", q.text)
			page := w.Body.String()
			if strings.TrimSpace(q.text) == "" {
				if w.Code != http.StatusSeeOther || w.Header().Get("Location") != routines.Prefix+"?r=skole" {
					t.Fatalf("status %d to %s", w.Code, w.Header().Get("Location"))
				}
				return
			}
			if w.Code != http.StatusOK {
				t.Fatalf("status %d", w.Code)
			}
			whole(t, q.name, page)
			main := page[strings.Index(page, "<main"):strings.Index(page, "</main>")]
			said := words(main)
			for _, want := range q.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in: %s", want, said)
				}
			}
			for _, no := range append(q.no, q.text) {
				if strings.Contains(page, no) {
					t.Errorf("%q is in the page", no)
				}
			}
			if q.first != "" {
				m := hrefOf.FindStringSubmatch(main[strings.Index(main, `class="card"`):])
				if m == nil || !strings.HasPrefix(m[1], routines.Prefix+q.first) {
					t.Errorf("first is %v, want %s", m, q.first)
				}
			}
			var kinds []routines.Kind
			for _, e := range x.counted() {
				kinds = append(kinds, e.Kind)
			}
			for _, k := range q.kinds {
				if !slices.Contains(kinds, k) {
					t.Errorf("counted %v, want %s", kinds, k)
				}
			}
		})
	}
}

// Whatever is asked, no word of it comes back that the pages would not say
// anyway, and no count knows it (D10, inv-4).
func TestFind_nothingOfAQuestionComesBack(t *testing.T) {
	x := newTester(t)
	topics := []string{"", "law", "deadlines", "resource", "term"}
	for _, th := range x.content.Catalogue.Themes() {
		topics = append(topics, th.ID)
	}
	for _, q := range questions {
		if strings.TrimSpace(q.text) == "" {
			continue
		}
		marked := q.text + " zqxjkv Kvalnesodden"
		w := x.post(routines.Prefix+"finn", "q", marked)
		all := w.Body.String() + fmt.Sprint(w.Header())
		for _, word := range []string{"zqxjkv", "Kvalnesodden", url.QueryEscape(q.text)} {
			if strings.Contains(all, word) {
				t.Errorf("%s: %q comes back", q.name, word)
			}
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control: %s", got)
		}
		if len(w.Header()["Set-Cookie"]) > 0 || w.Header().Get("Location") != "" {
			t.Errorf("%s: a cookie or a redirect", q.name)
		}
		for _, e := range x.counted() {
			if !slices.Contains(topics, e.Topic) {
				t.Errorf("%s: topic %q was counted", q.name, e.Topic)
			}
		}
	}
	// The other forms keep nothing either.
	for path, field := range map[string]string{"ord": "o", "sted": "navn", "frister": "d"} {
		w := x.post(routines.Prefix+path, field, "zqxjkv<b>", "h", "report")
		if all := w.Body.String() + fmt.Sprint(w.Header()); strings.Contains(all, "zqxjkv") {
			t.Errorf("%s shows what was typed", path)
		}
	}
}

func TestDeadlines_datesAreCountedAndTold(t *testing.T) {
	x := newTester(t)
	for _, c := range []struct {
		name, event, day, clock string
		status                  int
		want, no                []string
	}{
		{name: "a week that ends on a holiday", event: "report", day: "2026-12-18", status: 200, want: []string{"fredag 18.12.2026", "fredag 25.12.2026", "første juledag", "torsdag 24.12.2026", "Regn ikke med at fristen flyttes"}},
		{name: "typed as here", event: "report", day: "18.12.2026", status: 200, want: []string{"fredag 25.12.2026"}},
		{name: "hours, and a time of day", event: "emergency-care", day: "2026-11-20", clock: "14:30", status: 200, want: []string{"fredag 20.11.2026 kl. 14.30", "kl. 14.30"}, no: []string{"midnatt"}},
		{name: "no day", event: "report", day: "", status: 422, want: []string{"Skriv en dato"}},
		{name: "a day that is none", event: "report", day: "2026-02-31", status: 422, want: []string{"Skriv en dato"}},
		{name: "a year that is none", event: "report", day: "9999-01-01", status: 422, want: []string{"Skriv en dato"}},
		{name: "no event", event: "", day: "2026-11-20", status: 422, want: []string{"Velg hva som skjedde"}},
		{name: "an event that is none", event: "birthday", day: "2026-11-20", status: 422, want: []string{"Velg hva som skjedde"}},
		{name: "a time that is none", event: "report", day: "2026-11-20", clock: "25:00", status: 422, want: []string{"timer og minutter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := x.post(routines.Prefix+"frister", "h", c.event, "d", c.day, "t", c.clock)
			said := words(w.Body.String())
			whole(t, c.name, w.Body.String())
			if w.Code != c.status {
				t.Errorf("status %d", w.Code)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q", want)
				}
			}
			for _, no := range c.no {
				if strings.Contains(said, no) {
					t.Errorf("%q is there", no)
				}
			}
		})
	}
	for _, e := range x.content.Catalogue.Events() { // all of them, in all languages
		for _, l := range routine.Locales {
			w := x.post(routines.Prefix+"frister?s="+l, "h", e.ID, "d", "2027-03-20")
			dues := x.content.Catalogue.Dates(e.ID, time.Date(2027, 3, 20, 0, 0, 0, 0, data.Oslo))
			if got := strings.Count(w.Body.String(), "<time "); w.Code != 200 || got != len(dues) {
				t.Errorf("%s %s: status %d, %d dates of %d", e.ID, l, w.Code, got, len(dues))
			}
			whole(t, e.ID, w.Body.String())
		}
	}
}

func TestOwn_aMunicipalitysChangesAreSeen(t *testing.T) {
	x := newTester(t)
	page := x.get(routines.Prefix + "rutine/sit-injury?k=5501").Body.String()
	for _, want := range []string{"Ring mottaksteamet i barnevernet samme dag.", "Kommunens egen tekst", "Den nasjonale teksten", "Se helheten sammen med lederen", "kommunens kroppskart", "Dette har kommunen endret", "<del>", "<ins>", "Den ansatte sender selv"} {
		if !strings.Contains(page, want) {
			t.Errorf("the routine lacks %q", want)
		}
	}
	if page := x.get(routines.Prefix + "rutine/sit-injury").Body.String(); strings.Contains(page, "mottaksteamet") {
		t.Error("one municipality's text is shown to all")
	}
	if w := x.get(routines.Prefix + "rutine/sit-boat"); w.Code != http.StatusNotFound {
		t.Errorf("one municipality's routine is shown to all: %d", w.Code)
	}
	if w := x.get(routines.Prefix + "rutine/sit-boat?k=5501"); w.Code != http.StatusOK {
		t.Errorf("its own routine: %d", w.Code)
	}
	said := words(x.get(routines.Prefix + "egne?k=5501").Body.String())
	missing := x.content.Catalogue.For("5501").Missing("sit-boat")
	if len(missing) == 0 || !strings.Contains(said, fmt.Sprintf("Mangler: %d / 12", len(missing))) {
		t.Errorf("what sit-boat lacks of the twelve is not told: %d", len(missing))
	}
	for _, e := range missing {
		if !strings.Contains(said, "Mangler: "+e.Title.NB) {
			t.Errorf("%s is not among what is missing", e.ID)
		}
	}
	if said := words(x.get(routines.Prefix + "hvem?k=5501").Body.String()); !strings.Contains(said, "Hvem har vakt nå: Mottaksteamet svarer.") {
		t.Error("who is on duty is not told")
	}
	if said := words(x.get(routines.Prefix + "egne?k=0301").Body.String()); !strings.Contains(said, "ingen egne rutiner") {
		t.Error("a municipality with none is not told so")
	}
}

func TestPlace_aTypedNameLeadsBackWithItsNumbers(t *testing.T) {
	x := newTester(t)
	for _, c := range []struct{ name, typed, back, want string }{
		{"a name", "Tromsø", "/fag/rutine/sit-injury", "/fag/rutine/sit-injury?k=5501&r=skole"},
		{"a name with a slip, small", "tromso", "/fag/hvem", "/fag/hvem?k=5501&r=skole"},
		{"a part of a town", "Sagene", "/fag/", "/fag/?k=0301-03&r=skole"},
		{"back to elsewhere is the start", "Tromsø", "https://example.com/", "/fag/?k=5501&r=skole"},
		{"back to elsewhere, relative", "Tromsø", "//example.com/fag/", "/fag/?k=5501&r=skole"},
		{"back through a folder above", "Tromsø", "/fag/rutine/../../x", "/fag/?k=5501&r=skole"},
		{"a name nobody knows", "Langtvekkistan", "/fag/hvem", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := x.post("/fag/sted?r=skole", "navn", c.typed, "til", c.back)
			if got := w.Header().Get("Location"); got != c.want {
				t.Errorf("leads to %q, want %q", got, c.want)
			}
			if c.want == "" && (w.Code != 200 || !strings.Contains(w.Body.String(), "Vi fant ikke kommunen")) {
				t.Errorf("status %d", w.Code)
			}
		})
	}
}

func TestWho_openNowIsSaidOnlyForConfirmedHours(t *testing.T) {
	for _, at := range []time.Time{noon, noon.Add(36 * time.Hour)} {
		x := newTester(t, func(o *routines.Options) { o.Now = func() time.Time { return at } })
		page := x.get(routines.Prefix + "hvem").Body.String()
		for _, r := range x.content.Catalogue.Resources() {
			k, _ := x.content.Catalogue.Call(r.ID, routine.Context{})
			i := strings.Index(page, `<li class="call" id="`+r.ID+`"`)
			if i < 0 {
				t.Errorf("%s is missing", r.ID)
				continue
			}
			entry := page[i:]
			entry = entry[:strings.Index(entry, "</li>")]
			open := k.Contact.Open(data.Phone, at) == data.OpenNow
			if got := strings.Contains(entry, "Åpent"); got != (open && k.Number != "") {
				t.Errorf("%s: said to be open %v, is %v", r.ID, got, open)
			}
			if k.Instead != strings.Contains(entry, "svarer i stedet") {
				t.Errorf("%s: who answers instead is not told", r.ID)
			}
		}
	}
}

func TestHeaders_everyAnswerIsHardened(t *testing.T) {
	x := newTester(t)
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/fag/", nil), httptest.NewRequest("GET", "/fag/nothing", nil), httptest.NewRequest("GET", "/fag", nil),
		httptest.NewRequest("DELETE", "/fag/", nil), httptest.NewRequest("POST", "/fag/finn", nil), httptest.NewRequest("HEAD", "/fag/lov", nil),
	} {
		w := x.do(r)
		h := w.Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if h.Get(name) != want {
				t.Errorf("%s %s: %s is %q", r.Method, r.URL, name, h.Get(name))
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s %s: the policy lacks %s", r.Method, r.URL, want)
			}
		}
		if strings.Contains(csp, "unsafe") || len(h["Set-Cookie"]) > 0 {
			t.Errorf("%s %s: %s %v", r.Method, r.URL, csp, h["Set-Cookie"])
		}
	}
	if page := x.get("/fag/").Body.String(); regexp.MustCompile(`\s(on[a-z]+|style)=`).MatchString(plain(page)) {
		t.Error("a page holds code or style in an attribute")
	}
}

func TestRefusals_helpIsAlwaysThere(t *testing.T) {
	long := strings.Repeat("a", 40<<10)
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, method, path, kind, body string
		status                         int
	}{
		{"a page we do not have", "GET", "/fag/nothing", "", "", 404},
		{"a routine we do not have", "GET", "/fag/rutine/sit-nothing", "", "", 404},
		{"a routine with a name that is none", "GET", "/fag/rutine/%00%3Cscript%3E", "", "", 404},
		{"a way out of the folder", "GET", "/fag/../x", "", "", 404},
		{"two slashes", "GET", "/fag//lov", "", "", 404},
		{"another method", "PUT", "/fag/lov", "", "", 405},
		{"a form sent to a page", "POST", "/fag/lov", form, "q=x", 405},
		{"a place asked for", "GET", "/fag/sted", "", "", 405},
		{"a body that is too large", "POST", "/fag/finn", form, "q=" + long, 413},
		{"a body that is no form", "POST", "/fag/finn", "application/json", "{}", 415},
		{"a body without a kind", "POST", "/fag/finn", "", "q=x", 415},
		{"a body that is broken", "POST", "/fag/finn", form, "q=%zz", 400},
		{"an address that is too long", "GET", "/fag/?k=" + long[:3000], "", "", 414},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTester(t)
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			w := x.do(r)
			page := w.Body.String()
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			whole(t, c.name, page)
			for _, want := range []string{`action="/fag/finn`, `href="tel:112"`, `href="tel:116111"`, "/fag/rutine/sit-acute-danger"} {
				if !strings.Contains(page, want) {
					t.Errorf("no %s", want)
				}
			}
			if strings.Contains(page, "aaaa") || strings.Contains(page, "<script>%") {
				t.Error("the request stands in the page")
			}
		})
	}
}

func TestF79_onlyOurHosts(t *testing.T) {
	x := newTester(t, func(o *routines.Options) { o.Hosts = []string{"chat.example.no"} })
	for host, want := range map[string]int{"chat.example.no": 200, "CHAT.example.no:443": 200, "evil.example": 421, "": 421, "chat.example.no.evil": 421} {
		r := httptest.NewRequest("GET", "/fag/", nil)
		r.Host = host
		w := x.do(r)
		if w.Code != want {
			t.Errorf("%q: status %d", host, w.Code)
		}
		if host != "" && strings.Contains(w.Body.String(), host) {
			t.Errorf("%q stands in the page", host)
		}
	}
}

// broken are texts that panic for one id.
type broken struct {
	routines.Texts
	id string
}

func (b broken) Text(locale, id, band string) (string, bool) {
	if id == b.id {
		panic("broken")
	}
	return b.Texts.Text(locale, id, band)
}

func TestF22_aPanicEndsWithHelp(t *testing.T) {
	for id, want := range map[string]string{"pages.limits": `href="tel:112"`, "pages.brand": `href="/fag/"`} {
		x := newTester(t)
		c := *x.content
		c.Texts = broken{c.Texts, id}
		x.content = &c
		w := x.get("/fag/frister")
		if w.Code != 500 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "broken") {
			t.Errorf("%s: status %d", id, w.Code)
		}
		if e := x.counted(); !slices.Contains(e, routines.Event{Kind: routines.Failed}) {
			t.Errorf("counted %v", e)
		}
	}
}

func TestNew_saysWhatIsMissing(t *testing.T) {
	if _, err := routines.New(routines.Options{}); err == nil {
		t.Error("no content is no fault")
	}
	c, err := built()
	if err != nil {
		t.Fatal(err)
	}
	some := *c
	some.Texts = without{c.Texts}
	_, err = routines.New(routines.Options{Content: func() *routines.Content { return &some }})
	if err == nil || !strings.Contains(err.Error(), `text "pages.title" is missing in nn`) {
		t.Errorf("error %v", err)
	}
}

type without struct{ routines.Texts }

func (w without) Text(locale, id, band string) (string, bool) {
	if id == "pages.title" && locale == "nn" {
		return "", false
	}
	return w.Texts.Text(locale, id, band)
}

// Every text of the list is used by a page, or stands for one of a closed list.
func TestTexts_noneIsUnused(t *testing.T) {
	x := newTester(t)
	used := map[string]bool{}
	c := *x.content
	c.Texts = listening{c.Texts, used}
	x.content = &c
	for _, path := range everyPage {
		x.get(routines.Prefix + path)
	}
	for _, q := range questions {
		x.post(routines.Prefix+"finn", "q", q.text)
	}
	for _, id := range routines.UI {
		closed := false
		for _, list := range []string{"pages.personal.", "pages.holiday.", "pages.change.", "pages.count.", "pages.free."} {
			closed = closed || strings.HasPrefix(id, list)
		}
		if !used[id] && !closed && !slices.Contains(rare, id) {
			t.Errorf("%s is used by no page", id)
		}
	}
}

// rare are texts of pages that come in few cases.
var rare = []string{
	"pages.failed", "pages.wrong", "pages.old", "pages.place.unknown", "pages.place.try", "pages.terms.none", "pages.terms.all", "pages.closed", "pages.open", "pages.clock",
	"pages.unsure", "pages.own.whole", "pages.own.none", "pages.monday", "pages.tuesday", "pages.wednesday", "pages.thursday", "pages.friday", "pages.saturday", "pages.sunday", "pages.own.choose",
}

type listening struct {
	routines.Texts
	used map[string]bool
}

func (l listening) Text(locale, id, band string) (string, bool) {
	l.used[id] = true
	return l.Texts.Text(locale, id, band)
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"5501", "0301-03", "skole", "nn", "call", "no.a-6-11.violence", "interpreter.honour", "<script>alert(1)</script>", "\x00\xff", "..%2f", `"><img>`, "javascript:alert(1)"} {
		f.Add("rutine/sit-injury", s, s, s, s, s, s)
		f.Add("tre", s, s, s, s, s, s)
		f.Add(s, s, s, s, s, s, s)
	}
	x := newTester(f)
	f.Fuzz(func(t *testing.T, path, k, r, s, v, q, fl string) {
		u := &url.URL{Path: routines.Prefix + path, RawQuery: url.Values{"k": {k}, "r": {r}, "s": {s}, "v": {v}, "q": {q}, "f": {fl}}.Encode()}
		hostile(t, x, &http.Request{Method: "GET", URL: u, Host: "localhost", Header: http.Header{}, Body: http.NoBody}, path, k, r, s, v, q, fl)
	})
}

func FuzzForm(f *testing.F) {
	for _, path := range []string{"finn", "frister", "ord", "sted", "lov"} {
		f.Add(path, "q=far slår&h=report&d=2026-11-20&t=12:00&o=vold&navn=Tromsø&til=/fag/", "nb")
		f.Add(path, "q=%00%ff&til=//evil.example", "en;q=0.3,*")
	}
	x := newTester(f)
	f.Fuzz(func(t *testing.T, path, form, language string) {
		r := httptest.NewRequest("POST", routines.Prefix, strings.NewReader(form))
		r.URL = &url.URL{Path: routines.Prefix + path}
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Language": {language}}
		w := hostile(t, x, r)
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, routines.Prefix) {
			t.Errorf("leads to %q", to)
		}
	})
}

// hostile sends a request and looks whether anything of it comes back that could
// do harm.
func hostile(t *testing.T, x *tester, r *http.Request, parts ...string) *httptest.ResponseRecorder {
	w := x.do(r)
	if w.Code >= 500 {
		t.Fatalf("%s %q: status %d", r.Method, r.URL, w.Code)
	}
	if w.Code >= 300 && w.Code < 400 {
		return w
	}
	page := w.Body.String()
	whole(t, r.URL.String(), page)
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	for _, p := range parts {
		if len(p) > 3 && strings.ContainsAny(p, `<>"&`) && strings.Contains(page, p) {
			t.Errorf("%q comes back as it was sent", p)
		}
	}
	return w
}

func BenchmarkRoutine(b *testing.B) {
	x := newTester(b)
	b.ReportAllocs()
	for b.Loop() {
		x.get("/fag/rutine/sit-told-violence-home?k=5501&r=skole")
	}
}

func BenchmarkFind(b *testing.B) {
	x := newTester(b)
	b.ReportAllocs()
	for b.Loop() {
		x.post("/fag/finn", "q", "en elev i femte har fortalt at stefaren slår")
	}
}

func BenchmarkStart(b *testing.B) {
	x := newTester(b)
	b.ReportAllocs()
	for b.Loop() {
		x.get("/fag/")
	}
}
