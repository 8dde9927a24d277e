package data_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trygg/flows/content/data"
)

func embedded(t testing.TB) *data.Data {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A number is changed in two places on purpose: in the file, and here by
// somebody who has looked again. A wrong one is the one bug that hurts (D12).
func TestNumbersAreTheOnesThatWereReviewed(t *testing.T) {
	want := map[string]string{
		"number_112": "112", "number_113": "113", "number_110": "110", "number_danger": "112",
		"number_legevakt": "116 117", "number_02800": "02800",
		"number_alarmtelefonen": "116 111", "number_kors_pa_halsen": "800 33 321", "number_116123": "116 123",
		"number_kirkens_sos": "22 40 00 40", "number_volinjen": "116 006",
		"number_rk_tvang": "815 55 201", "number_kompetanseteamet": "478 09 050", "number_ud": "+47 23 95 00 00",
		// Services of a municipality: the national contact answers.
		"number_barnevern": "116 111", "number_barnevernvakt": "116 111", "number_krisesenter": "116 111", "number_helsesykepleier": "116 111", "number_hfu": "116 111",
		"number_overgrepsmottak": "116 117", "number_smiso": "116 111", "number_mobbeombud": "116 111", "number_familievern": "116 111", "number_utekontakt": "116 111",
		"web_alarmtelefonen": "116111.no", "web_kors_pa_halsen": "korspåhalsen.no", "web_ung_no": "ung.no", "web_snakkommobbing": "snakkommobbing.no", "web_snakkompsyken": "snakkompsyken.no",
		"web_116123": "sidetmedord.no", "web_kirkens_sos": "soschat.no", "web_volinjen": "volinjen.no", "web_barneombudet": "barneombudet.no", "web_barnevernvakt": "barnevernvakten.no",
		"web_nodsms": "nodsms.no", "web_norsis": "norsis.no", "web_jegvilvite": "jegvilvite.no", "web_dinutvei": "dinutvei.no", "web_tryggere": "tryggere.no",
		// For professionals.
		"number_barnehus": "02800", "number_konsultasjonsteam": "02800", "number_slt": "02800", "number_barneavdeling": "116 117", "number_bup": "116 117",
		"number_tannhelse": "116 117", "number_ppt": "116 111", "number_tolk": "116 111", "number_statsforvalter": "116 111",
		"web_plikt": "plikt.no", "web_bufdir": "bufdir.no", "web_statensbarnehus": "statensbarnehus.no", "web_rvts": "rvts.no", "web_snakkemedbarn": "snakkemedbarn.no",
		"web_jegvet": "jegvet.no", "web_nkvts": "nkvts.no", "web_voldsveileder": "voldsveileder.nkvts.no", "web_helsedirektoratet": "helsedirektoratet.no", "web_udir": "udir.no",
		"web_helsebiblioteket": "helsebiblioteket.no", "web_seksuellatferd": "seksuellatferd.no", "web_delbart": "politiet.no/delbart", "web_forandringsfabrikken": "forandringsfabrikken.no",
		"web_nif": "idrettsforbundet.no", "web_atv": "atv-stiftelsen.no", "web_imdi": "imdi.no", "web_udi": "udi.no",
		"email_alarmtelefonen": "alarm@116111.no", "email_kompetanseteamet": "kompetanseteamet@bufdir.no", "email_ud": "UDops@mfa.no",
	}
	if diff := cmp.Diff(want, embedded(t).Numbers()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotConfirmedIsNeverShown(t *testing.T) {
	d := embedded(t)
	for _, id := range []string{"overgrepstelefon", "skeiv", "sanks", "tips-kripos", "slettmeg", "take-it-down", "stottesenter"} {
		c, ok := d.Contact(id, "", "")
		if !ok || c.Show != "no" || c.Check == "" {
			t.Errorf("%s: show %q, check %q", id, c.Show, c.Check)
		}
		for name := range d.Numbers() {
			if strings.HasSuffix(name, "_"+strings.ReplaceAll(id, "-", "_")) {
				t.Errorf("%s can be named in a text", name)
			}
		}
	}
	if _, ok := d.Contact("selvmordslinjen", "", ""); ok {
		t.Error("a line that the facts say not to print is in the data")
	}
	if c, _ := d.Contact("alarmtelefonen", "", ""); c.SMS != "" {
		t.Error("the SMS number differs between the sources and is given all the same")
	}
	if c, _ := d.Contact("volinjen", "", ""); c.Fits("13-15") || !c.Fits("16-18") {
		t.Error("VO-linjen is for 16 to 18")
	}
	if c, _ := d.Contact("kompetanseteamet", "", ""); c.Show == "card" {
		t.Error("a service for professionals is on a child's card")
	}
}

func TestNotesListWhatAPersonMustSettle(t *testing.T) {
	d := embedded(t)
	var text strings.Builder
	for _, n := range d.Notes() {
		text.WriteString(n.String() + "\n")
	}
	for _, want := range []string{
		"contacts.yaml: kors-pa-halsen: [S] hours of phone are not confirmed: January 2024",
		"contacts.yaml: slettmeg: [S-old] status in 2026 is not confirmed",
		"municipalities.yaml: 0301: barnevernvakt: to be filled in by the municipality; alarmtelefonen answers instead",
		"municipalities.yaml: 5501 barnevernvakt: [S] hours of phone are not confirmed: open round the clock",
		"services.yaml: overgrepsmottak: [S] the age limit is often 14",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("notes lack %q in\n%s", want, &text)
		}
	}
}

func TestS5_entriesNobodyHasLookedAtForLong(t *testing.T) {
	d := embedded(t)
	day := 24 * time.Hour
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, data.Oslo)
	if old := d.Unreviewed(at.Add(89*day), 90*day); len(old) != 0 {
		t.Errorf("old after 89 days: %v", old)
	}
	all := len(d.Contacts) + len(d.Services) + len(d.Municipalities)
	if old := d.Unreviewed(at.Add(91*day), 90*day); len(old) != all {
		t.Errorf("%d of %d old after 91 days", len(old), all)
	}
}

func TestSixCitiesWithNumbersAsText(t *testing.T) {
	d := embedded(t)
	got := map[string]string{}
	for _, m := range d.Municipalities {
		got[m.Number] = m.Name
		for _, service := range []string{"barnevern", "barnevernvakt", "krisesenter", "hfu", "overgrepsmottak"} {
			if l := m.Contacts[service]; l.Phone != "" || l.Missing == "" {
				t.Errorf("%s %s: the facts confirm no local number", m.Name, service)
			}
			c, ok := d.Contact(service, m.Number, "")
			if !ok || c.Fallback == "" || d.NumbersAt(m.Number, "")["number_"+service] == "" {
				t.Errorf("%s %s has nobody to answer instead", m.Name, service)
			}
		}
	}
	want := map[string]string{"5501": "Tromsø", "5001": "Trondheim", "4601": "Bergen", "1103": "Stavanger", "3301": "Drammen", "0301": "Oslo"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	oslo, _ := d.Municipality("0301")
	bergen, _ := d.Municipality("4601")
	if len(oslo.Areas) != 15 || len(bergen.Areas) != 8 {
		t.Errorf("Oslo has %d areas, Bergen %d", len(oslo.Areas), len(bergen.Areas))
	}
}

func TestPlacesAsPeopleTypeThem(t *testing.T) {
	d := embedded(t)
	for typed, want := range map[string]data.Place{
		"Tromsø": {"5501", ""}, "i tromso": {"5501", ""}, "TROMSOE": {"5501", ""}, "Romsa": {"5501", ""}, "Trmsø": {"5501", ""}, "ترومسو": {"5501", ""},
		"oslo": {"0301", ""}, "OSLO KOMMUNE": {"0301", ""}, "Jeg bor i Oslo.": {"0301", ""}, "olso": {"0301", ""}, "я живу в Осло": {"0301", ""},
		"Grorud": {"0301", "10"}, "bydel Grorud i Oslo": {"0301", "10"}, "grunerlokka": {"0301", "02"}, "St.Hanshaugen": {"0301", "04"}, "nordstrand": {"0301", "14"}, "søndre nordstrand": {"0301", "15"}, "sondre Nordtsrand": {"0301", "15"},
		"bergen": {"4601", ""}, "Bergn": {"4601", ""}, "aasane": {"4601", "08"}, "Årstad, Bergen": {"4601", "07"},
		"Trondhjem": {"5001", ""}, "trondhæim": {"5001", ""}, "Tråante": {"5001", ""}, "stavagner": {"1103", ""}, "Drammenn": {"3301", ""}, "  drammen!! ": {"3301", ""},
	} {
		if got, ok := d.Find(typed); !ok || got != want {
			t.Errorf("%q is %v (%v), want %v", typed, got, ok, want)
		}
	}
	for _, typed := range []string{
		"", " ", "i", "kommune", "Ålesund", "slo", "de slo meg", "osl", "fan", "Oslo eller Bergen", "Grorud og Alna", "Grorud i Bergen", "Bodø", "hjelp", strings.Repeat("oslo ", 1000), "\xff\xff", "berg",
	} {
		if got, ok := d.Find(typed); ok {
			t.Errorf("%q is taken for %v", typed, got)
		}
	}
}

func FuzzFind(f *testing.F) {
	d := embedded(f)
	for _, s := range []string{"i Tromsø", "oslo kommune", "\u0301\u0301o", "Gr\xffrud", "ﷺ ترومسو"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := d.Find(s)
		if !ok {
			if p != (data.Place{}) {
				t.Fatalf("%q: nothing found, and %v", s, p)
			}
			return
		}
		m, known := d.Municipality(p.Number)
		if _, area := m.Areas[p.Area]; !known || p.Area != "" && !area {
			t.Fatalf("%q: %v is no place", s, p)
		}
	})
}

func TestHolidaysOfKnownYears(t *testing.T) {
	for year, want := range map[int][]string{
		2000: {"04-20", "04-21", "04-23", "04-24", "06-01", "06-11", "06-12"},
		2008: {"03-20", "03-21", "03-23", "03-24", "05-11", "05-12"}, // Ascension Day on 1 May
		2024: {"03-28", "03-29", "03-31", "04-01", "05-09", "05-19", "05-20"},
		2025: {"04-17", "04-18", "04-20", "04-21", "05-29", "06-08", "06-09"},
		2026: {"04-02", "04-03", "04-05", "04-06", "05-14", "05-24", "05-25"},
		2027: {"03-25", "03-26", "03-28", "03-29", "05-06", "05-16"}, // Whit Monday on 17 May
		2038: {"04-22", "04-23", "04-25", "04-26", "06-03", "06-13", "06-14"},
	} {
		want = append(want, "01-01", "05-01", "05-17", "12-25", "12-26")
		slices.Sort(want)
		var got []string
		for d := time.Date(year, 1, 1, 12, 0, 0, 0, data.Oslo); d.Year() == year; d = d.AddDate(0, 0, 1) {
			if data.Holiday(d) != "" {
				got = append(got, d.Format("01-02"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: %s", year, diff)
		}
	}
	// Holidays are Oslo's, wherever the clock is.
	if data.Holiday(time.Date(2026, 5, 16, 22, 30, 0, 0, time.UTC)) == "" {
		t.Error("half past midnight on 17 May is no holiday")
	}
	if data.Holiday(time.Date(2026, 5, 17, 22, 30, 0, 0, time.UTC)) != "" {
		t.Error("half past midnight on 18 May is a holiday")
	}
}

// hours gives a contact with the hours of one channel.
func hours(t *testing.T, yaml string) data.Contact {
	t.Helper()
	d, err := data.Overlay(data.Files, fstest.MapFS{"contacts.yaml": {Data: []byte(
		"contacts:\n  - id: new\n    name: {nb: New}\n    phone: 70 00 00 01\n    show: card\n    owner: test\n    source: [at-om]\n    mark: S\n    reviewed: 2026-11-22\n    hours:\n      - " + yaml + "\n")}})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := d.Contact("new", "", "")
	return c
}

func TestOpenNow(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, data.Oslo)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	const confirmed = ", confirmed: true, mark: S, source: [at-om]}"
	for _, tt := range []struct {
		name, hours string
		want        map[string]data.State
	}{
		{"a weekday line", "{channel: phone, days: {mon-fri: 14:00-22:00}, holidays: closed" + confirmed, map[string]data.State{
			"2026-11-25 13:59": data.Closed, "2026-11-25 14:00": data.OpenNow, "2026-11-25 21:59": data.OpenNow, "2026-11-25 22:00": data.Closed,
			"2026-11-28 15:00": data.Closed, "2026-05-14 15:00": data.Closed, "2026-12-25 15:00": data.Closed,
			"2026-12-24 15:00": data.SeePage, "2026-12-31 15:00": data.SeePage, "2026-04-01 15:00": data.SeePage, // eves
		}},
		{"holidays nobody has asked about", "{channel: phone, days: {mon-sun: 14:00-22:00}" + confirmed, map[string]data.State{
			"2026-05-17 15:00": data.SeePage, "2026-05-18 15:00": data.OpenNow,
		}},
		{"holidays like other days", "{channel: phone, days: {mon-sun: 14:00-22:00}, holidays: same" + confirmed, map[string]data.State{
			"2026-05-17 15:00": data.OpenNow, "2026-12-24 15:00": data.OpenNow, "2026-12-24 23:00": data.Closed,
		}},
		{"holidays with hours of their own", "{channel: phone, days: {mon-sun: 14:00-22:00}, holidays: 18:00-20:00" + confirmed, map[string]data.State{
			"2026-05-17 15:00": data.Closed, "2026-05-17 19:00": data.OpenNow,
		}},
		{"over midnight", "{channel: phone, days: {mon-thu: 16:00-08:00, fri: 16:00-24:00}, holidays: closed" + confirmed, map[string]data.State{
			"2026-11-25 15:59": data.Closed, "2026-11-25 16:00": data.OpenNow, "2026-11-26 07:59": data.OpenNow, "2026-11-26 08:00": data.Closed,
			"2026-11-27 23:59": data.OpenNow, "2026-11-28 00:00": data.Closed, "2026-11-23 03:00": data.Closed,
			"2026-05-14 03:00": data.OpenNow, "2026-05-14 17:00": data.Closed, "2026-05-15 03:00": data.Closed, // Ascension Day
		}},
		{"dates of their own", "{channel: phone, days: {mon-sun: 14:00-22:00}, holidays: same, exceptions: [{from: 2026-12-24, to: 2026-12-26, open: 16:00-20:00}, {from: 2026-12-31, open: closed}]" + confirmed, map[string]data.State{
			"2026-12-24 15:00": data.Closed, "2026-12-26 17:00": data.OpenNow, "2026-12-27 15:00": data.OpenNow, "2026-12-31 17:00": data.Closed, "2027-01-01 17:00": data.OpenNow,
		}},
		{"always, but for one day", "{channel: phone, always: true, exceptions: [{from: 2026-12-24, open: closed}]" + confirmed, map[string]data.State{
			"2026-12-24 12:00": data.Closed, "2026-12-25 03:00": data.OpenNow,
		}},
		{"not confirmed", "{channel: phone, always: true, confirmed: false, mark: K}", map[string]data.State{"2026-11-25 12:00": data.SeePage}},
	} {
		c := hours(t, tt.hours)
		for when, want := range tt.want {
			if got := c.Open(data.Phone, at(when)); got != want {
				t.Errorf("%s: %s is %s, want %s", tt.name, when, got, want)
			}
		}
		if got := c.Open(data.Chat, at("2026-11-25 15:00")); got != data.SeePage {
			t.Errorf("%s: a channel without hours is %s", tt.name, got)
		}
	}
}

func TestF24_openingHoursThroughSummerTime(t *testing.T) {
	c := hours(t, "{channel: phone, days: {mon-sun: 16:00-02:30}, holidays: same, confirmed: true, mark: S, source: [at-om]}")
	for name, tt := range map[string]struct {
		at   time.Time
		want data.State
	}{
		"a minute before the clock is put on":    {time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC), data.OpenNow},
		"the hour that is left out":              {time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), data.Closed},
		"the first 02:29 in October":             {time.Date(2026, 10, 25, 0, 29, 0, 0, time.UTC), data.OpenNow},
		"the first 02:31":                        {time.Date(2026, 10, 25, 0, 31, 0, 0, time.UTC), data.Closed},
		"the second 02:29":                       {time.Date(2026, 10, 25, 1, 29, 0, 0, time.UTC), data.OpenNow},
		"the second 02:31":                       {time.Date(2026, 10, 25, 1, 31, 0, 0, time.UTC), data.Closed},
		"that evening, an hour later in the day": {time.Date(2026, 10, 25, 15, 0, 0, 0, time.UTC), data.OpenNow},
	} {
		if got := c.Open(data.Phone, tt.at); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestWhatIsOpenAlways(t *testing.T) {
	d := embedded(t)
	var always []string
	for _, c := range d.Contacts {
		if c.Always(data.Phone) {
			always = append(always, c.ID)
		}
		for when := time.Date(2026, 3, 28, 0, 0, 0, 0, data.Oslo); when.Month() < time.May; when = when.Add(6 * time.Hour) {
			if c.Always(data.Phone) && c.Open(data.Phone, when) != data.OpenNow {
				t.Fatalf("%s is not open at %s", c.ID, when)
			}
		}
	}
	if diff := cmp.Diff([]string{"112", "113", "110", "alarmtelefonen", "116123", "kirkens-sos", "volinjen", "ud"}, always); diff != "" {
		t.Error(diff)
	}
}

func whole(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"contacts.yaml", "services.yaml", "municipalities.yaml"} {
		b, err := fs.ReadFile(data.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	return files
}

func mapFS(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, s := range files {
		m[name] = &fstest.MapFile{Data: []byte(s)}
	}
	return m
}

func TestF60_faultsAreToldWithTheirPlace(t *testing.T) {
	for _, tt := range []struct{ name, file, cut, put, want string }{
		{"an unknown key", "contacts.yaml", "phone: 116 123", "fone: 116 123", `not known here: "fone"`},
		{"a key that stands twice", "contacts.yaml", "    phone: 116 123\n", "    phone: 116 123\n    phone: 116 124\n", "already defined"},
		{"a number nobody can dial", "contacts.yaml", "phone: 116 123", "phone: 116123", `"116123" is not a number as people read it`},
		{"a number with a letter", "contacts.yaml", "phone: 22 40 00 40", "phone: 22 40 00 4O", "is not a number as people read it"},
		{"an address without https", "contacts.yaml", "web: https://soschat.no", "web: http://soschat.no", "want an https address"},
		{"an address with letters that only look alike", "contacts.yaml", "chat: https://soschat.no", "chat: https://sоschat.no", "want an https address"},
		{"a date that is none", "contacts.yaml", "reviewed: 2026-11-22", "reviewed: 2026-22-11", "want a date such as 2026-11-22"},
		{"hours that are none", "contacts.yaml", "mon-fri: 16:15-22:45", "mon-fri: 16:15 to 22:45", "are not hours"},
		{"a day that is none", "contacts.yaml", "mon-fri: 16:15-22:45", "mon-fry: 16:15-22:45", "is not a day"},
		{"hours confirmed on hearsay", "contacts.yaml", "{channel: phone, always: true, confirmed: false, mark: K, check: \"open day", "{channel: phone, always: true, confirmed: true, mark: K, check: \"open day", "hours marked K cannot be confirmed"},
		{"a mark that is none", "contacts.yaml", "    mark: S-old\n", "    mark: sure\n", `mark: want S, S-old, K, R, got "sure"`},
		{"a source nobody knows", "contacts.yaml", "source: [nodsms, politi]", "source: [nodsms, hearsay]", `source "hearsay" is not in the list`},
		{"an entry without owner", "contacts.yaml", "    owner: national editor\n", "", "needs an owner"},
		{"an entry without name", "contacts.yaml", "name: {nb: Kirkens SOS}", "name: {en: Church SOS}", "needs a name in nb"},
		{"a band that is none", "contacts.yaml", "bands: [16-18]", "bands: [16-19]", `"16-19" is not an age band`},
		{"an entry that stands twice", "contacts.yaml", "- id: kirkens-sos", "- id: alarmtelefonen", `"alarmtelefonen" stands twice`},
		{"an id with capitals", "contacts.yaml", "- id: skeiv", "- id: Skeiv", "want small letters"},
		{"a line left empty", "contacts.yaml", "phone: 116 123", "phone:", "has no value"},
		{"a value left empty", "contacts.yaml", "phone: 116 123", `phone: ""`, "is empty"},
		{"an anchor", "contacts.yaml", "phone: 116 123", "phone: &p 116 123", "anchors and aliases are not used"},
		{"a list where a word belongs", "contacts.yaml", "phone: 116 123", "phone: [116 123]", "is of the wrong kind"},
		{"a part nobody knows", "contacts.yaml", "\nroutes:", "\nroads: {}\nroutes:", `"roads" is not known here`},
		{"a way to go that leads to nobody", "contacts.yaml", "order: [snakkommobbing,", "order: [nobody,", `"nobody" of bullying is no contact of the card`},
		{"a way to go that is missing", "contacts.yaml", "  friend:\n", "  friends:\n", `routes: "friend" is missing`},
		{"a service without fallback", "services.yaml", "fallback: legevakt", "fallback: nobody", "needs a fallback"},
		{"a number without quotes", "municipalities.yaml", `number: "0301"`, "number: 0301", "put the number in quotes"},
		{"a number of three digits", "municipalities.yaml", `number: "1103"`, `number: "110"`, "want four digits"},
		{"a service nobody says anything about", "municipalities.yaml", "      krisesenter: {missing: to be filled in by the municipality}\n", "", "says nothing about krisesenter"},
		{"a service neither given nor missing", "municipalities.yaml", "krisesenter: {missing: to be filled in by the municipality}", "krisesenter: {web: https://example.no}", `"krisesenter" has no phone`},
		{"a service that does not exist", "municipalities.yaml", "      krisesenter: {missing", "      crisiscentre: {missing", `"crisiscentre" is not a service`},
		{"a language nobody speaks here", "municipalities.yaml", "    languages: [nb, nn, en]", "    languages: [nb, xx]", `"xx" is not a language here`},
		{"broken YAML", "municipalities.yaml", "municipalities:\n", "municipalities: [\n", "municipalities.yaml:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := whole(t)
			changed := strings.Replace(files[tt.file], tt.cut, tt.put, 1)
			if changed == files[tt.file] {
				t.Fatalf("%q is not in %s", tt.cut, tt.file)
			}
			files[tt.file] = changed
			_, err := data.Load(mapFS(files))
			if err == nil {
				t.Fatal("taken as it is")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("told %q, want %q", err, tt.want)
			}
			t.Log(err)
		})
	}
}

func TestFaultHasLineAndColumn(t *testing.T) {
	files := whole(t)
	files["contacts.yaml"] = strings.Replace(files["contacts.yaml"], "phone: 116 123", "phone: 116123", 1)
	files["contacts.yaml"] = strings.Replace(files["contacts.yaml"], "phone: 116 006", "phone: 116 06", 1)
	lines := strings.Split(files["contacts.yaml"], "\n")
	_, err := data.Load(mapFS(files))
	problems, ok := err.(data.Problems)
	if !ok || len(problems) != 2 {
		t.Fatalf("want both problems at once, got %v", err)
	}
	for _, p := range problems {
		if p.File != "contacts.yaml" || !strings.Contains(lines[p.Line-1], "phone:") || lines[p.Line-1][p.Column-1:] == "" || !strings.HasPrefix(lines[p.Line-1][p.Column-1:], "116") {
			t.Errorf("%s points at %q", p, lines[p.Line-1])
		}
	}
}

func TestF61_hostileFilesAreRefusedAtOnce(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "]\n"
	}
	for name, text := range map[string]string{
		"an alias bomb":     bomb,
		"many megabytes":    strings.Repeat("# x\n", 1<<19),
		"deep brackets":     strings.Repeat("[", 100_000),
		"deep dashes":       strings.Repeat("- ", 50_000) + "x",
		"deep questions":    strings.Repeat("? ", 50_000) + "x",
		"deep indentation":  deep(2000),
		"nothing":           "",
		"two documents":     "a: 1\n---\nb: 2\n",
		"a list at the top": "- a\n- b\n",
		"no text":           "\x00\xff\xfe",
	} {
		start := time.Now()
		files := whole(t)
		files["contacts.yaml"] = text
		if _, err := data.Load(mapFS(files)); err == nil {
			t.Errorf("%s was taken", name)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestOverlayCorrectsAndAdds(t *testing.T) {
	over := fstest.MapFS{
		"contacts.yaml": {Data: []byte(`
contacts:
  - id: kors-pa-halsen
    phone: 800 33 322
    name: {pl: Krzyż}
    reviewed: 2026-12-01
  - id: nearby
    name: {nb: Nærmest}
    person: true
    show: card
    owner: municipality
    source: [at-om]
    mark: S
    reviewed: 2026-12-01
`)},
		"municipalities.yaml": {Data: []byte(`
municipalities:
  - number: "0301"
    languages: [nb, nn, en, so]
    contacts:
      barnevernvakt: {phone: 70 00 00 01, owner: municipality, source: [at-om], mark: S, reviewed: 2026-12-01}
    areas:
      "10":
        contacts:
          barnevernvakt: {phone: 70 00 00 02, owner: municipality, source: [at-om], mark: S, reviewed: 2026-12-01}
  - number: "3201"
    name: Bærum
    owner: municipality
    mark: K
    reviewed: 2026-12-01
    contacts:
      barnevernvakt: {missing: to be filled in}
      barnevern: {missing: to be filled in}
      krisesenter: {missing: to be filled in}
      hfu: {missing: to be filled in}
      overgrepsmottak: {missing: to be filled in}
`)},
	}
	d, err := data.Overlay(data.Files, over)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := d.Contact("kors-pa-halsen", "", ""); c.Phone != "800 33 322" || c.Label("pl") != "Krzyż" || c.Label("nb") != "Kors på halsen (Røde Kors)" || c.Web == "" || len(c.Hours) != 2 {
		t.Errorf("a correction took more with it: %+v", c)
	}
	for _, tt := range []struct{ tenant, area, want string }{{"0301", "", "70 00 00 01"}, {"0301", "10", "70 00 00 02"}, {"0301", "11", "70 00 00 01"}, {"5501", "", ""}, {"", "", ""}, {"3201", "", ""}} {
		if c, _ := d.Contact("barnevernvakt", tt.tenant, tt.area); c.Phone != tt.want {
			t.Errorf("barnevernvakt in %s %s is %q, want %q", tt.tenant, tt.area, c.Phone, tt.want)
		}
		number := tt.want
		if number == "" {
			number = "116 111"
		}
		if got := d.NumbersAt(tt.tenant, tt.area)["number_barnevernvakt"]; got != number {
			t.Errorf("a text in %s %s names %q, want %q", tt.tenant, tt.area, got, number)
		}
	}
	oslo, _ := d.Municipality("0301")
	if len(oslo.Areas) != 15 || oslo.Areas["10"].Name != "Grorud" || oslo.Contacts["barnevern"].Missing == "" || !slices.Contains(oslo.Languages, "so") {
		t.Errorf("an area or service is gone: %+v", oslo)
	}
	if p, ok := d.Find("Bærum"); !ok || p.Number != "3201" {
		t.Error("a new municipality is not found")
	}
	if c, _ := embedded(t).Contact("kors-pa-halsen", "", ""); c.Phone != "800 33 321" || c.Label("pl") == "Krzyż" {
		t.Error("the overlay wrote into the base")
	}
}

func TestOverlayNeverRemovesSafety(t *testing.T) {
	for name, tt := range map[string]struct{ over, want string }{
		"another 112":              {"contacts:\n  - id: \"112\"\n    phone: \"113\"\n", "is an emergency number and stays 112"},
		"the helpline hidden":      {"contacts:\n  - id: alarmtelefonen\n    show: \"no\"\n", "cannot be hidden"},
		"the helpline for adults":  {"contacts:\n  - id: alarmtelefonen\n    for: professional\n", "cannot be hidden"},
		"the helpline for the old": {"contacts:\n  - id: alarmtelefonen\n    bands: [16-18]\n", "cannot be hidden"},
		"a number taken away":      {"contacts:\n  - id: alarmtelefonen\n    phone: \"\"\n", "is empty"},
		"a number made nothing":    {"contacts:\n  - id: alarmtelefonen\n    phone: null\n", "has no value"},
		"an entry twice":           {"contacts:\n  - id: ud\n  - id: ud\n", "stands twice"},
		"hours nobody keeps": {"contacts:\n" +
			"  - {id: alarmtelefonen, hours: [{channel: phone, confirmed: false, mark: K}]}\n" +
			"  - {id: \"116123\", hours: [{channel: phone, confirmed: false, mark: K}]}\n" +
			"  - {id: kirkens-sos, hours: [{channel: phone, confirmed: false, mark: K}]}\n", "nobody is open now for 6-9"},
	} {
		_, err := data.Overlay(data.Files, fstest.MapFS{"contacts.yaml": {Data: []byte(tt.over)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestRoutesKnowTheTopicsOfTypedWords(t *testing.T) {
	d := embedded(t)
	for topic, want := range map[string]string{
		"violence-physical": "home", "violence-witness": "home", "neglect": "home", "sexual-abuse": "sexual", "abuse-online": "online", "bullying": "bullying", "forced-marriage": "control",
		"fgm": "control", "friend-in-trouble": "friend", "i-hurt-someone": "hurt", "suicide-selfharm": "suicide", "dating-violence": "sexual", "sibling-violence": "home", "smalltalk": "", "rights": "", "": "",
	} {
		if got := d.RouteOf(topic); got != want {
			t.Errorf("%q goes by %q, want %q", topic, got, want)
		}
	}
	if got := d.Route("nowhere"); !slices.Equal(got, d.Route(data.Home)) {
		t.Error("an unknown way is not the way home")
	}
}

func FuzzLoad(f *testing.F) {
	files := whole(f)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f.Add(name, files[name])
	}
	f.Add("contacts.yaml", "contacts:\n  - id: x\n    hours: [{channel: phone, days: {mon: 1}}]\n")
	f.Add("municipalities.yaml", "municipalities: [{number: \"0301\", areas: {\"01\": }}]")
	f.Add("services.yaml", "services: {}")
	f.Fuzz(func(t *testing.T, name, text string) {
		if _, known := files[name]; !known {
			return
		}
		m := mapFS(files)
		m[name] = &fstest.MapFile{Data: []byte(text)}
		if d, err := data.Load(m); (d == nil) == (err == nil) {
			t.Fatalf("data %v with error %v", d, err)
		}
		if d, err := data.Overlay(data.Files, fstest.MapFS{name: m[name]}); err == nil {
			if c, ok := d.Contact("112", "", ""); !ok || c.Phone != "112" {
				t.Fatalf("112 is %q", c.Phone)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	d := embedded(b)
	b.ReportAllocs()
	for b.Loop() {
		d.Find("jeg bor på gronerløkka i oslo")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := data.Embedded(); err != nil {
			b.Fatal(err)
		}
	}
}
