package routine_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trygg/flows/routine"
)

// facts are the ids the fact sheet has; nothing may get lost.
var facts = strings.Fields(`sit-acute-danger sit-told-violence-home sit-told-sexual-abuse sit-injury sit-infant-bruise sit-concern sit-neglect
	sit-witness sit-child-sexual-behaviour sit-staff-abuse sit-peer-violence sit-colleague-silent sit-honour-control sit-fgm sit-abroad
	sit-nude-images sit-grooming sit-dating-violence sit-runaway sit-suicidal sit-intoxicated-pickup sit-secret sit-interpreter sit-disability
	sit-radicalisation sit-exploitation sit-after-report sit-anon sit-before-interview sit-follow-up sit-documentation sit-share-info
	sit-child-meeting sit-parent-asks sit-third-party sit-foster-institution sit-asylum sit-sports-club`)

func TestEverySituationLawDeadlineAndResourceOfTheFactsIsThere(t *testing.T) {
	c := mustLoad(t)
	for _, id := range facts {
		if _, ok := c.Routine(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	if len(c.Routines()) != len(facts) {
		t.Errorf("%d routines, want %d", len(c.Routines()), len(facts))
	}
	for _, id := range strings.Fields(`law-avvergeplikt law-meldeplikt law-opplysningsplikt-palegg law-bv-frister law-taushetsplikt law-foreldre law-medvirkning
		law-aktivitetsplikt law-samarbeid law-kommuneplikt law-straffesak law-changes law-vold law-doc`) {
		if _, ok := c.Law(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	for _, id := range strings.Fields(`t-112 t-meld t-bv-week t-bv-ack t-bv-inv t-bv-end t-bv-new t-akutt t-avhor t-med t-skole t-besoek t-note t-back`) {
		if _, ok := c.Deadline(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	for _, id := range strings.Fields(`res-112 res-113 res-116117 res-02800 res-bv res-bvv res-alarm res-plikt res-duv res-vo res-bufdir res-digimeld res-barnehus
		res-kons res-kt res-mangf res-ud res-rvts res-smb res-snakke res-jegvet res-nkvts res-dcm res-hdir res-udir res-ped res-om res-sa res-delbart res-ff
		res-oslo res-salto res-tryggest res-nif res-sinnemestring res-barneombud res-child`) {
		if _, ok := c.Resource(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	for _, id := range strings.Fields(`blk-listen blk-agree blk-child-say blk-sp blk-note blk-store blk-stop-parents blk-call blk-leader blk-home blk-report blk-evidence blk-self`) {
		if _, ok := c.Block(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	for _, id := range strings.Fields(`role-barnehage role-skole role-sfo role-helsesykepleier role-barnevern role-bup role-politikontakt role-idrett role-tannhelse
		role-lege role-krisesenter role-mottak role-ppt role-leder`) {
		if _, ok := c.Role(id); !ok {
			t.Errorf("%s is missing", id)
		}
	}
	if len(c.Terms()) < 88 || len(c.Elements()) != 12 {
		t.Errorf("%d terms and %d elements", len(c.Terms()), len(c.Elements()))
	}
}

var raw = regexp.MustCompile(`\{\{|\}\}|<no value>|%!|\|\|`)

// inv-5: every routine shows who, when, law, what to write, what the child is
// told, and the rule for parents.
func TestEveryRoutineIsWholeForEveryRoleAndLanguage(t *testing.T) {
	c := mustLoad(t)
	for _, r := range c.Routines() {
		for _, role := range append(slices.Collect(roleIDs(c)), "") {
			for _, locale := range routine.Locales {
				for _, stop := range []bool{false, true} {
					for _, tenant := range []string{"", "5501"} {
						x := routine.Context{Role: role, Locale: locale, Tenant: tenant, Stop: stop}
						v, ok := c.View(r.ID, x)
						if !ok {
							t.Fatalf("%s %v: no view", r.ID, x)
						}
						whole(t, c, v, x)
					}
				}
			}
		}
	}
}

func roleIDs(c *routine.Catalogue) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, r := range c.Roles() {
			if !yield(r.ID) {
				return
			}
		}
	}
}

// seen are the lines already looked at: most come back in every view.
var seen = map[string]bool{}

func whole(t *testing.T, c *routine.Catalogue, v routine.View, x routine.Context) {
	t.Helper()
	at := fmt.Sprintf("%s %+v", v.ID, x)
	for name, lines := range map[string][]routine.Line{
		"title": {v.Title}, "when": v.When, "do_not": v.DoNot, "write": v.Write, "child": v.Child, "parents": v.Parents,
	} {
		if len(lines) == 0 || lines[0].Text == "" {
			t.Errorf("%s: %s is empty", at, name)
		}
	}
	if len(v.Now) == 0 || len(v.Law) == 0 || len(v.Calls) == 0 || len(v.Sources) == 0 || v.Owner == "" || v.ValidUntil == "" || v.Version == "" {
		t.Errorf("%s: now %d, law %d, calls %d, sources %d, owner %q, version %q, valid until %q", at, len(v.Now), len(v.Law), len(v.Calls), len(v.Sources), v.Owner, v.Version, v.ValidUntil)
	}
	for i, s := range slices.Concat(v.Now, v.Steps) {
		if len(s.Who) == 0 || s.When.Text == "" || s.Text.Text == "" || s.Number != i+1 {
			t.Errorf("%s: step %s is not whole: %+v", at, s.ID, s)
		}
		if s.Text.Locale != "" || s.When.Locale != "" {
			t.Errorf("%s: step %s is in %q: steps are in all languages", at, s.ID, s.Text.Locale)
		}
	}
	if v.Title.Locale != "" {
		t.Errorf("%s: the title falls back", at)
	}
	for _, l := range v.Stop {
		if l.Locale != "" {
			t.Errorf("%s: the stop rule falls back to %s", at, l.Locale)
		}
	}
	for _, k := range v.Calls {
		// inv-9: never an empty field.
		if k.Number == "" && k.Contact.Web == "" && k.How.Text == "" {
			t.Errorf("%s: nobody answers for %s", at, k.ID)
		}
	}
	if x.Role != "" && (v.Role == nil || v.Role.Leader.Text == "" || len(v.Role.Report) == 0 || len(v.Role.Steps) == 0) {
		t.Errorf("%s: the role adds nothing", at)
	}
	for _, s := range c.Sections(v, x) {
		for _, l := range slices.Concat(s.Lines, []routine.Line{s.Title}) {
			nynorsk := l.Locale == "" && x.Locale == "nn"
			if key := fmt.Sprint(nynorsk, l.Text); !seen[key] {
				seen[key] = true
				if strings.TrimSpace(l.Text) == "" || raw.MatchString(l.Text) {
					t.Errorf("%s: %s: %q", at, s.ID, l.Text)
				}
				if nynorsk && notNynorsk.MatchString(l.Text) {
					t.Errorf("%s: %s: not nynorsk: %q", at, s.ID, l.Text)
				}
			}
			if l.Locale != "" && x.Locale != "en" {
				t.Errorf("%s: %s: %q is in %s: bokmål and nynorsk are complete", at, s.ID, l.Text, l.Locale)
			}
		}
	}
}

// notNynorsk is a net, not a grammar: words that only bokmål has.
var notNynorsk = regexp.MustCompile(`(?i)(^|[^\p{L}.-])(ikke|jeg|hva|hvem|hvordan|hvor|hvis|noen|noe|hjemme|selv|mye|være|gjøre|barnets|uke|uken|skolen|kun|dere|etter at han har blitt|forteller|voksne)([^\p{L}.-]|$)`)

func TestTheStopRuleStandsFirstWhereverItApplies(t *testing.T) {
	c := mustLoad(t)
	for _, r := range c.Routines() {
		v, _ := c.View(r.ID, routine.Context{})
		if (r.Stop.Applies != routine.No) != (len(v.Stop) > 0) {
			t.Errorf("%s: stop %s, but %d lines", r.ID, r.Stop.Applies, len(v.Stop))
		}
		all := c.Sections(v, routine.Context{})
		if len(v.Stop) > 0 && all[0].ID != "stop" {
			t.Errorf("%s begins with %s", r.ID, all[0].ID)
		}
		for _, a := range routine.Aspects {
			part, ok := c.Aspect(r.ID, a, routine.Context{Role: "role-skole"})
			if !ok || len(part) == 0 {
				t.Fatalf("%s: no view %s", r.ID, a)
			}
			if len(v.Stop) > 0 && part[0].ID != "stop" {
				t.Errorf("%s: view %s begins with %s", r.ID, a, part[0].ID)
			}
			if !slices.ContainsFunc(part, func(s routine.Section) bool { return s.ID == string(a) }) {
				t.Errorf("%s: view %s lacks its own section", r.ID, a)
			}
		}
	}
}

// The routines about violence, abuse or an injury all meet the twelve elements,
// with the blocks they point to.
func TestTheCoreRoutinesHaveAllTwelveElements(t *testing.T) {
	c := mustLoad(t)
	for _, id := range []string{"sit-told-violence-home", "sit-told-sexual-abuse"} {
		for _, e := range c.Missing(id) {
			t.Errorf("%s lacks %s (%s)", id, e.ID, e.Title.NB)
		}
	}
	if len(c.Missing("sit-anon")) == 0 {
		t.Error("a routine on procedure has all elements: the check finds nothing")
	}
	if c.Missing("sit-none") != nil {
		t.Error("a routine that does not exist has missing elements")
	}
}

func TestTheRoleSaysWhoTheLeaderIsAndWhichDutyHolds(t *testing.T) {
	c := mustLoad(t)
	for role, want := range map[string][2]string{
		"role-barnehage": {"Styrer", "barnehageloven § 46"},
		"role-skole":     {"Rektor", "opplæringslova § 24-3"},
		"role-idrett":    {"Den ansvarlige i styret", "straffeloven § 196"},
		"role-lege":      {"Avdelingslederen", "helsepersonelloven §§ 31, 33"},
		"":               {"Lederen din", "straffeloven §§ 196, 282, 283"},
	} {
		v, _ := c.View("sit-told-violence-home", routine.Context{Role: role})
		if got := v.Steps[0].Who[1].Text; got != want[0] {
			t.Errorf("%q: the leader is %q, want %q", role, got, want[0])
		}
		if got := v.Law[0].Text.Text; got != want[1] {
			t.Errorf("%q: the law begins with %q, want %q", role, got, want[1])
		}
	}
}

func TestANumberIsTheMunicipalitysOrTheNationalOne(t *testing.T) {
	c := mustLoad(t)
	v, _ := c.View("sit-told-violence-home", routine.Context{Tenant: "5501"})
	i := slices.IndexFunc(v.Calls, func(k routine.Call) bool { return k.ID == "res-bvv" })
	if k := v.Calls[i]; !k.Instead || k.Contact.ID != "alarmtelefonen" || k.Number == "" {
		t.Errorf("no number is given, so the national one answers: %+v", k)
	}
	var call routine.Section
	for _, s := range c.Sections(v, routine.Context{Tenant: "5501"}) {
		if s.ID == "call" {
			call = s
		}
	}
	if !strings.Contains(call.Lines[i].Text, "svarer i stedet") {
		t.Errorf("the substitute is not told: %q", call.Lines[i].Text)
	}
}

func TestEnglishFallsBackVisibly(t *testing.T) {
	v, _ := mustLoad(t).View("sit-concern", routine.Context{Locale: "en"})
	if v.DoNot[0].Locale != "nb" {
		t.Errorf("do_not is in %q, said to be in %q", v.DoNot[0].Text, v.DoNot[0].Locale)
	}
}

func TestWhatIsGeneralKnowledgeIsListedForTheMunicipality(t *testing.T) {
	c := mustLoad(t)
	notes := c.Notes()
	for _, id := range []string{"hpl", "fvl", "res-om", "t-note", "blk-home", "sit-told-sexual-abuse", "sit-told-sexual-abuse step medical", "role-idrett", "law-changes", "meeting", "nn"} {
		if !slices.ContainsFunc(notes, func(n routine.Note) bool { return n.ID == id }) {
			t.Errorf("%s is not among the notes", id)
		}
	}
	v, _ := c.View("sit-told-sexual-abuse", routine.Context{})
	if !v.Check {
		t.Error("the routine does not say that it is to be checked")
	}
	marked := false
	for _, s := range slices.Concat(v.Now, v.Steps) {
		marked = marked || s.ID == "medical" && s.Text.Check
	}
	if !marked {
		t.Error("the step with the medical time windows is not marked")
	}
}

func TestNobodyIsAskedForANameOrANumber(t *testing.T) {
	c := mustLoad(t)
	asks := regexp.MustCompile(`(?i)\b(navn|namn|name|fødsel|birth|adresse|address|telefon|personnummer|hvilken skole|kva skule|which school)`)
	for _, q := range c.Tree().Questions {
		for _, s := range []string{q.Ask.NB, q.Ask.NN, q.Ask.EN} {
			if asks.MatchString(s) {
				t.Errorf("%s asks %q (inv-4)", q.ID, s)
			}
		}
	}
	g := c.Guide(routine.Context{})
	for _, tpl := range g.Templates {
		for _, l := range tpl.Lines {
			if regexp.MustCompile(`(?i)(navn|namn)( på barnet)?: ?…`).MatchString(l.Text) {
				t.Errorf("template %s has a place for a name: %q", tpl.ID, l.Text)
			}
		}
	}
}

func TestTheStopRuleStandsAboveEveryTextThatCallsToAMeeting(t *testing.T) {
	c := mustLoad(t)
	for _, locale := range routine.Locales {
		g := c.Guide(routine.Context{Locale: locale})
		if len(g.Stop) == 0 || g.Stop[0].Locale != "" {
			t.Fatalf("%s: the guide does not begin with the stop rule", locale)
		}
		calls := 0
		for _, tpl := range g.Templates {
			if tpl.ID == "calling" {
				calls++
				if len(tpl.Stop) == 0 {
					t.Errorf("%s: the calling text stands without the stop rule", locale)
				}
			}
		}
		if calls != 1 || len(g.Templates) < 4 || len(g.Parts) < 6 {
			t.Errorf("%s: %d templates, %d parts", locale, len(g.Templates), len(g.Parts))
		}
	}
}

// Signs of sexual abuse turn the stop rule on, also where no tree was walked.
func TestAWorryAboutSexualAbuseIsTalkedOverWithPoliceAndChildWelfareFirst(t *testing.T) {
	v, _ := mustLoad(t).View("sit-concern", routine.Context{Kind: "sexual"})
	if first := v.Now[0]; first.ID != "sexual-call" || !slices.Contains(first.Calls, "res-02800") || !slices.Contains(first.Calls, "res-bv") {
		t.Errorf("the first step is %+v", first)
	}
	for _, s := range slices.Concat(v.Now, v.Steps) {
		if s.ID == "below" {
			t.Error("the parents are still to be talked with")
		}
	}
	if len(v.Stop) < 2 || v.Parents[0] != v.Stop[0] {
		t.Errorf("stop %v, parents %v", v.Stop, v.Parents)
	}
}
