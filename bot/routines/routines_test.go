package routines_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"trygg/bot/routines"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
	"trygg/locales"
)

// own is a municipality's file: a changed step, an added one, and a routine of
// its own that lacks most elements.
const own = `
municipality: "5501"
owner: fagutvikler
reviewed: 2026-11-22
approved_by: kommunalsjef
next_review: 2027-05-22
about:
  sends: {text: {nb: "Den ansatte sender selv, lederen får kopi."}}
  on-duty: {text: {nb: "Mottaksteamet svarer."}}
  report-web: {web: "https://www.tromso.kommune.no/melding"}
changes:
  - routine: sit-injury
    replace:
      - id: whole
        who: [adult, leader]
        when: at-once
        duty: true
        text: {nb: "Ring mottaksteamet i barnevernet samme dag."}
        law: [bvl § 13-2, strl § 196]
        call: [res-bv, res-bvv, res-02800]
    add:
      - id: body-map
        after: whole
        who: [health-nurse]
        when: same-day
        text: {nb: "Helsesykepleier tegner på kommunens kroppskart."}
    do_not: [{nb: "Ikke bruk skolens nettbrett til bilder."}]
routines:
  - id: sit-boat
    title: {nb: Barn på hurtigbåt}
    theme: acute
    when: [{nb: Et barn er alene på båten.}]
    acute: {level: "no"}
    stop: {applies: "no"}
    steps:
      - {id: one, who: [adult], when: now, text: {nb: Snakk med barnet.}}
    do_not: [{nb: Ikke la barnet gå av alene.}]
    law: [bvl § 13-2]
    call: [res-bv]
    write: [{nb: Tid og sted.}]
    child: [{nb: Barnet får vite hva som skjer.}]
    parents: [{nb: Barnevernet avgjør.}]
    owner: fagutvikler
    version: 2026-11-22
    valid_until: 2027-05-22
    mark: K
`

// noon is a Sunday in November: nothing here depends on the clock of the machine.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, data.Oslo)

var built = sync.OnceValues(func() (*routines.Content, error) {
	d, err := data.Embedded()
	if err != nil {
		return nil, err
	}
	c, problems := routine.Load(d, routine.Files, fstest.MapFS{"local/5501.yaml": &fstest.MapFile{Data: []byte(own)}})
	for _, p := range problems {
		return nil, errors.New(p.String())
	}
	docs, terms := search.Documents(c)
	ix, err := search.New(docs, search.Options{Terms: terms})
	if err != nil {
		return nil, err
	}
	b, faults := locales.Check(locales.Files, d.Numbers())
	for _, p := range faults {
		return nil, errors.New(p.String())
	}
	return &routines.Content{Catalogue: c, Index: ix, Data: d, Texts: b}, nil
})

// tester is a site with what it was told to count.
type tester struct {
	testing.TB
	site    *routines.Site
	content *routines.Content
	mu      sync.Mutex
	events  []routines.Event
}

func newTester(t testing.TB, change ...func(*routines.Options)) *tester {
	t.Helper()
	c, err := built()
	if err != nil {
		t.Fatal(err)
	}
	x := &tester{TB: t, content: c}
	o := routines.Options{
		Content: func() *routines.Content { return x.content },
		Now:     func() time.Time { return noon },
		Count: func(e routines.Event) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.events = append(x.events, e)
		},
	}
	for _, f := range change {
		f(&o)
	}
	if x.site, err = routines.New(o); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *tester) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	x.site.ServeHTTP(w, r)
	return w
}

func (x *tester) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	return x.do(r)
}

func (x *tester) post(path string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return x.do(r)
}

// counted gives what was counted since the last call.
func (x *tester) counted() []routines.Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.events
	x.events = nil
	return e
}
