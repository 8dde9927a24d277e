package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trygg/store"
	"trygg/store/storetest"
)

// onRedis starts the program on a Redis of its own.
func onRedis(t testing.TB, options ...storetest.Option) (*running, *storetest.Server) {
	t.Helper()
	s := storetest.Redis(t, append([]storetest.Option{storetest.AppendOnly()}, options...)...)
	return start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()}), s
}

// readsOn walks through information without the place being kept for it, and
// meets help everywhere.
func readsOn(t *testing.T, p *person) {
	t.Helper()
	p.help().wantCard()
	p.press("show").toMenu()
	p.press("violence").press("physical").sees("Fysisk vold")
	p.help().wantCard()
	p.press("show").sees("Fysisk vold")
	p.types("hjelp").wantCard()
	p.press("show")
}

// toMenu goes to the main menu from wherever the person is.
func (p *person) toMenu() *person {
	p.t.Helper()
	for _, o := range p.offers() {
		if o == "e=home" {
			return p.press("home").sees("Hva vil du lese om?")
		}
	}
	if !strings.Contains(p.said(), "Hva vil du lese om?") {
		p.press("skip").sees("Hva vil du lese om?")
	}
	return p
}

func wantHealth(t *testing.T, r *running, status string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		code, body := get(t, r.adminAddr+"/readyz")
		if code == http.StatusOK && strings.Contains(body, status) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("readyz is %d %s, want 200 %s", code, body, status)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestF1_F10_storeDownAtStartOrWithAWrongPassword(t *testing.T) {
	t.Run("down", func(t *testing.T) {
		s := storetest.Redis(t)
		s.Stop()
		r := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()})
		p := visit(t, r)
		readsOn(t, p)
		wantHealth(t, r, "degraded")
		s.Start()
		p.open().press("next") // the first press finds that it is back
		wantHealth(t, r, "ok")
		p.press("b10").press("skip").sees("Hva vil du lese om?")
	})
	t.Run("wrong password", func(t *testing.T) {
		s := storetest.Redis(t, storetest.Password("right-canary"))
		bad := strings.Replace(s.URL(), "right-canary", "wrong-canary", 1)
		r := start(t, map[string]string{"TRYGG_REDIS_URL": bad})
		readsOn(t, visit(t, r))
		wantHealth(t, r, "degraded")
		if all := r.out.String() + r.logs.String(); strings.Contains(all, "canary") {
			t.Errorf("the secret was printed: %s", all)
		}
	})
}

// F2-F4, F6, F8: the store breaks while a child is in the middle, and comes
// back.
func TestF2_F3_F4_F6_F8_theStoreBreaksInTheMiddle(t *testing.T) {
	for _, tt := range []struct {
		name        string
		break_, fix func(*storetest.Server)
	}{
		{"F2 it dies", (*storetest.Server).Stop, (*storetest.Server).Start},
		{"F3 it accepts and never answers", (*storetest.Server).Pause, (*storetest.Server).Resume},
		{"F4 it is two seconds slow", func(s *storetest.Server) { s.Slow(2 * time.Second) }, func(s *storetest.Server) { s.Slow(0) }},
		{"F6 its memory is full", (*storetest.Server).Fill, func(s *storetest.Server) { s.SetMaxMemory(0) }},
		{"F8 it becomes read-only", func(s *storetest.Server) { s.ReadOnly(true) }, func(s *storetest.Server) { s.ReadOnly(false) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, s := onRedis(t)
			p := visit(t, r).press("next").press("b10").press("skip")
			p.press("rights")
			before := runtime.NumGoroutine()
			tt.break_(s)
			slowest := time.Duration(0)
			for range 20 {
				begun := time.Now()
				readsOn(t, p)
				slowest = max(slowest, time.Since(begun))
			}
			t.Logf("the slowest eight presses took %s", slowest)
			if n := runtime.NumGoroutine(); n > before+60 {
				t.Errorf("goroutines went from %d to %d", before, n)
			}
			tt.fix(s)
			deadline := time.Now().Add(10 * time.Second)
			for p.toMenu(); r.state.Degraded() && time.Now().Before(deadline); p.press("rights").toMenu() {
				time.Sleep(50 * time.Millisecond)
			}
			p.press("tell").sees("vanskelig å fortelle")
			wantHealth(t, r, "ok")
		})
	}
}

func TestF5_F9_theStoreIsEmptied(t *testing.T) {
	r, s := onRedis(t)
	p := visit(t, r).press("next").press("b10").press("skip").press("rights")
	s.Empty()
	p.press("back")
	if !strings.Contains(p.said(), "Jeg er en robot") {
		t.Errorf("not the neutral start: %s", p.said())
	}
	p.press("next").press("b10").press("skip").sees("Hva vil du lese om?")
}

func TestF7_F17_aSessionThatIsGoneMeetsTheNeutralStart(t *testing.T) {
	r, s := onRedis(t)
	p := visit(t, r).press("next").press("b10").press("skip").press("rights")
	for _, k := range s.Keys() {
		if strings.Contains(k, ":c:") {
			s.Do("DEL", k)
		}
	}
	p.press("back").sees("Jeg er en robot")
}

func TestF18_oneReplicaIsCutOff(t *testing.T) {
	s := storetest.Redis(t)
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if err := store.NewKeys(keys); err != nil {
		t.Fatal(err)
	}
	link := newLink(t, s.Addr())
	a := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL(), "TRYGG_KEYS_FILE": keys})
	b := start(t, map[string]string{"TRYGG_REDIS_URL": strings.Replace(s.URL(), s.Addr(), link.addr(), 1), "TRYGG_KEYS_FILE": keys})
	p := visit(t, a).press("next").press("b10").press("skip").press("rights")
	q := *p
	q.base = "http://" + b.webAddr
	q.press("home").sees("Hva vil du lese om?") // the other replica knows the chat
	link.cut()
	readsOn(t, &q)
	wantHealth(t, b, "degraded")
	wantHealth(t, a, "ok")
	p.open().press("next").press("b10").press("skip").sees("Hva vil du lese om?")
}

// link is a way to a server that can be cut.
type link struct {
	l     net.Listener
	mu    sync.Mutex
	conns []net.Conn
	gone  bool
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{l: l}
	t.Cleanup(k.cut)
	pipe := func(from, to net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				to.Write(buf[:n])
			}
			if err != nil {
				to.Close()
				return
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			k.mu.Lock()
			k.conns = append(k.conns, c, d)
			gone := k.gone
			k.mu.Unlock()
			if gone {
				c.Close()
				d.Close()
				continue
			}
			go pipe(c, d)
			go pipe(d, c)
		}
	}()
	return k
}

func (k *link) addr() string { return k.l.Addr().String() }

func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = true
	k.l.Close()
	for _, c := range k.conns {
		c.Close()
	}
}

// HelpChaos: 10,000 requests for help and information while the store is
// stopped, hung, full, read-only and well in turn: no failure.
func TestHelpChaos(t *testing.T) {
	r, s := onRedis(t)
	const people, total = 8, 10_000
	var failures, done atomic.Int64
	var wg sync.WaitGroup
	for range people {
		wg.Go(func() {
			p := visit(t, r)
			for i := range total / people {
				done.Add(1)
				switch i % 4 {
				case 0, 2:
					if p.help(); !p.card() {
						failures.Add(1)
						t.Errorf("no card: %d %s", p.status, p.said())
					}
				case 1:
					if p.press("show"); p.status != http.StatusOK || p.said() == "" {
						failures.Add(1)
						t.Errorf("no screen: %d", p.status)
					}
				case 3:
					if p.press("show").toMenu(); !strings.Contains(p.said(), "Hva vil du lese om?") {
						failures.Add(1)
						t.Errorf("no information: %d %s", p.status, p.said())
					}
				}
				if failures.Load() > 5 {
					return
				}
			}
		})
	}
	over, trouble := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(trouble)
		steps := []func(){
			s.Pause, s.Resume, s.Stop, s.Start, s.Fill, func() { s.SetMaxMemory(0) },
			func() { s.ReadOnly(true) }, func() { s.ReadOnly(false) },
		}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			// An even number of steps leaves the store well again.
			if next := done.Load() + 600; i%2 == 1 || next < total {
				steps[i%len(steps)]()
				for done.Load() < next {
					select {
					case <-over:
						if i%2 == 0 {
							steps[(i+1)%len(steps)]()
						}
						return
					case <-tick.C:
					}
				}
				continue
			}
			return
		}
	}()
	wg.Wait()
	close(over)
	<-trouble
	t.Logf("%d requests, %d failures", done.Load(), failures.Load())
}

func TestF21_stoppingUnderLoadFinishesWhatHasBegun(t *testing.T) {
	r, s := onRedis(t)
	_ = s
	var pressed, answered atomic.Int64
	var wg sync.WaitGroup
	people := make([]*person, 16)
	for i := range people {
		people[i] = visit(t, r).press("next").press("b10").press("skip")
	}
	stop := make(chan struct{})
	for _, p := range people {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				v := p.fields()
				v.Set("e", "home")
				req, _ := http.NewRequest(http.MethodPost, p.base+"/", strings.NewReader(v.Encode()))
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				req.Header.Set("Origin", p.base)
				pressed.Add(1)
				resp, err := p.client.Do(req)
				if err != nil {
					// Refused before it was taken: nothing was begun.
					pressed.Add(-1)
					return
				}
				if resp.StatusCode == http.StatusOK {
					answered.Add(1)
				}
				resp.Body.Close()
			}
		})
	}
	for pressed.Load() < 300 {
		time.Sleep(time.Millisecond)
	}
	begun := time.Now()
	if err := r.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if took := time.Since(begun); took > stopTime {
		t.Errorf("stopping took %s", took)
	}
	close(stop)
	wg.Wait()
	if pressed.Load() != answered.Load() {
		t.Errorf("%d taken, %d answered", pressed.Load(), answered.Load())
	}
}

func TestF25_theDiskIsFullForTheLog(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	m := newMetrics()
	w := &logWriter{full, m.logDrops}
	for range 3 {
		if _, err := fmt.Fprintln(w, "a line"); err != nil {
			t.Fatal(err)
		}
	}
	if got := metricValue(t, m, "trygg_log_drops_total"); got != 3 {
		t.Errorf("counted %v, want 3", got)
	}
}

func metricValue(t *testing.T, m *metrics, name string) float64 {
	t.Helper()
	fs, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// F29: at a steady load memory and goroutines stay flat. An hour in the life of
// a small town, without its pauses.
func TestF29_steadyLoadStaysFlat(t *testing.T) {
	r, _ := onRedis(t)
	people := make([]*person, 20)
	for i := range people {
		people[i] = visit(t, r).press("next").press("b10").press("skip")
	}
	load := func(n int) {
		for i := range n {
			p := people[i%len(people)]
			p.press("rights").toMenu()
		}
	}
	measure := func() (heap uint64, goroutines int) {
		for range 3 {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	load(1000)
	heap, goroutines := measure()
	load(3000)
	heap2, goroutines2 := measure()
	t.Logf("heap %d -> %d kB, goroutines %d -> %d", heap>>10, heap2>>10, goroutines, goroutines2)
	// The web chat remembers presses, so that one that comes again changes
	// nothing: at most two times 65,536 marks, and 6,000 of them were made here.
	const marks = 6000 * 300
	if heap2 > heap+heap/20+marks {
		t.Errorf("heap grew from %d to %d kB", heap>>10, heap2>>10)
	}
	if goroutines2 > goroutines+goroutines/20+2 {
		t.Errorf("goroutines grew from %d to %d", goroutines, goroutines2)
	}
}

// F30: the machine is busy with other things; help is still answered.
func TestF30_helpOnABusyMachine(t *testing.T) {
	r, _ := onRedis(t)
	p := visit(t, r)
	var over atomic.Bool
	defer over.Store(true)
	for range 10 * runtime.GOMAXPROCS(0) {
		go func() {
			for n := 0; !over.Load(); n++ {
			}
		}()
	}
	slowest := time.Duration(0)
	for range 20 {
		begun := time.Now()
		p.help().wantCard()
		slowest = max(slowest, time.Since(begun))
	}
	t.Logf("the slowest card took %s", slowest)
}

func TestF58_F59_F60_F64_badContentDoesNotStart(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"F58 a safety text is missing", "locales/pl/active.yaml", "file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}\nbutton.help: Pomoc\n", `the safety text "button.back" is missing`},
		{"F59 a dead end", "flows/menu.yaml", "flow: menu\nstart: main\nstates:\n  main: {say: menu.main}\n", `dead end`},
		{"F60 an unknown key", "flows/menu.yaml", "flow: menu\nstart: main\nstaets: {}\n", `menu.yaml:3:1`},
		{"F64 a number nobody has", "locales/nb/menu.yaml", "file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}\nmenu.main: Ring {{.number_nobody}}\n", `placeholder "number_nobody" is not known`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, tt.file), tt.text)
			_, problems := loadSnapshot(dir)
			for _, p := range problems {
				if strings.Contains(p.String(), tt.want) {
					return
				}
			}
			t.Errorf("want %q, got %v", tt.want, problems)
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestF62_aBadReloadKeepsTheOldContent(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "locales/README"), "")
	r := start(t, map[string]string{"TRYGG_CONTENT_DIR": dir})
	p := visit(t, r).press("next").press("b10").press("skip").sees("Hva vil du lese om?")
	old := r.current().hash
	write(t, filepath.Join(dir, "flows/menu.yaml"), "flow: menu\n")
	if errs := r.reload(t.Context(), r.out); len(errs) == 0 {
		t.Error("taken")
	}
	if r.current().hash != old {
		t.Error("the content changed")
	}
	p.press("rights").press("home").sees("Hva vil du lese om?")
	os.Remove(filepath.Join(dir, "flows/menu.yaml"))
	b, err := os.ReadFile("../../locales/nb/menu.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "locales/nb/menu.yaml"), strings.Replace(string(b), "menu.main: ", "menu.main: Nytt. ", 1))
	if errs := r.reload(t.Context(), r.out); len(errs) > 0 {
		t.Errorf("good content was refused: %v", errs)
	}
	p.press("rights").press("home").sees("Nytt.")
}

// An author's change is taken when the folder is watched, a bad one is told and
// changes nothing.
func TestF62_aWatchedFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "locales/README"), "")
	look := make(chan time.Time)
	r := start(t, map[string]string{"TRYGG_CONTENT_DIR": dir}, func(s *service) { s.watch = look })
	old := r.current().hash
	write(t, filepath.Join(dir, "flows/menu.yaml"), "flow: menu\n")
	look <- time.Now()
	look <- time.Now() // the first look is over when the second is taken
	if r.current().hash != old || !strings.Contains(r.out.String(), "menu.yaml") {
		t.Errorf("hash changed: %t, told: %s", r.current().hash != old, r.out.String())
	}
	os.Remove(filepath.Join(dir, "flows/menu.yaml"))
	b, err := os.ReadFile("../../locales/nb/menu.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "locales/nb/menu.yaml"), string(b)+"# a remark\n")
	look <- time.Now()
	look <- time.Now()
	if r.current().hash == old {
		t.Errorf("not taken: %s", r.out.String())
	}
}

func TestF63_secretsThatAreMissingOrWeak(t *testing.T) {
	dir := t.TempDir()
	weak := filepath.Join(dir, "weak")
	write(t, weak, "trygg keys 1\nbase AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nkey 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nactive 1\n")
	os.Chmod(weak, 0o600)
	open := filepath.Join(dir, "open")
	if err := store.NewKeys(open); err != nil {
		t.Fatal(err)
	}
	os.Chmod(open, 0o644)
	for _, tt := range []struct {
		name string
		set  map[string]string
		want string
	}{
		{"no keys with a Redis", map[string]string{"TRYGG_REDIS_URL": "redis://127.0.0.1:1"}, "TRYGG_KEYS_FILE: is needed"},
		{"weak keys", map[string]string{"TRYGG_KEYS_FILE": weak}, "TRYGG_KEYS_FILE"},
		{"keys others can read", map[string]string{"TRYGG_KEYS_FILE": open}, "TRYGG_KEYS_FILE"},
		{"a trial for others than this machine", map[string]string{"TRYGG_ADDR": "0.0.0.0:8080"}, "only reachable from this machine"},
		{"an address that is none", map[string]string{"TRYGG_ADDR": "somewhere"}, "TRYGG_ADDR: want host:port"},
		{"two faults together", map[string]string{"TRYGG_ADDR": "somewhere", "TRYGG_NEW_CHATS_PER_MINUTE": "many"}, `TRYGG_NEW_CHATS_PER_MINUTE: want a whole number above 0, got "many"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.set["TRYGG_DATA_DIR"] = dir
			cfg, err := loadConfig(tt.set, func(string) (string, bool) { return "", false })
			if err == nil {
				err = cfg.serveFaults()
			}
			if err == nil {
				_, err = openKeys(cfg, &safeBuffer{})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q, got %v", tt.want, err)
			}
			if err != nil && strings.Contains(err.Error(), "AAAA") {
				t.Errorf("prints the key: %v", err)
			}
		})
	}
}

// F65: what looks like markup in content and data is shown as it is written.
func TestF65_markupIsShownLiterally(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("../../locales/nb/menu.yaml")
	if err != nil {
		t.Fatal(err)
	}
	odd := `<b>x</b> *y* _z_ [a](b) & "q"`
	write(t, filepath.Join(dir, "locales/nb/menu.yaml"), regexp.MustCompile(`(?m)^menu\.main: .*$`).ReplaceAllLiteralString(string(b), "menu.main: '"+odd+"'"))
	p := visit(t, start(t, map[string]string{"TRYGG_CONTENT_DIR": dir})).press("next").press("b10").press("skip")
	if !strings.Contains(p.page, "&lt;b&gt;x&lt;/b&gt; *y* _z_ [a](b) &amp;") {
		t.Errorf("not shown literally: %s", p.said())
	}
}

func TestF77_tooManyNewChatsMeetTheCard(t *testing.T) {
	r := start(t, map[string]string{"TRYGG_NEW_CHATS_PER_MINUTE": "60"})
	known := visit(t, r).press("next")
	cards := 0
	for range 300 {
		p := visit(t, r)
		if p.status != http.StatusOK {
			t.Fatalf("first view: %d", p.status)
		}
		if p.press("next"); p.card() {
			cards++
		}
	}
	if cards < 200 {
		t.Errorf("%d of 300 met the card", cards)
	}
	known.press("b10").press("skip").sees("Hva vil du lese om?") // those who were in go on
}

// F78: an address in content is shown and never fetched.
func TestF78_addressesInContentAreNeverFetched(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var visits atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			visits.Add(1)
			c.Close()
		}
	}()
	dir := t.TempDir()
	b, err := os.ReadFile("../../flows/content/data/contacts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	evil := strings.ReplaceAll(string(b), "https://www.116111.no", "https://"+l.Addr().String())
	write(t, filepath.Join(dir, "data/contacts.yaml"), evil)
	if s, problems := loadSnapshot(dir); s == nil {
		t.Logf("refused: %v", problems)
	} else {
		p := visit(t, start(t, map[string]string{"TRYGG_CONTENT_DIR": dir}))
		p.help().wantCard()
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("fetched %d times", n)
	}
}

func TestF79_headerTricksAreRefused(t *testing.T) {
	r := start(t, map[string]string{"TRYGG_WEB_URL": "https://trygg.example.no/"})
	p := visit(t, r)
	for _, host := range []string{"evil.example", "trygg.example.no.evil.example", "trygg.example.no@evil.example", ""} {
		req, _ := http.NewRequest(http.MethodGet, p.base+"/", nil)
		req.Host = host
		if host == "" {
			req.Host = " "
		}
		resp, err := p.client.Do(req)
		if err != nil {
			continue // not even sent
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Errorf("host %q was answered", host)
		}
	}
	for _, v := range []url.Values{{"l": {"nb\r\nSet-Cookie: a=b"}}, {"n": {"x\r\nLocation: http://evil"}}, {"e": {"\r\n\r\n<script>"}}} {
		f := p.fields()
		for k, x := range v {
			f[k] = x
		}
		req, _ := http.NewRequest(http.MethodPost, p.base+"/", strings.NewReader(f.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", p.base)
		resp, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Location") != "" {
			t.Errorf("headers were split: %v", resp.Header)
		}
	}
}

// F85: a key is rotated in the middle of a conversation. F86: the active key is
// missing afterwards.
func TestF85_F86_keysChangeInTheMiddle(t *testing.T) {
	s := storetest.Redis(t)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := store.NewKeys(keys); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"TRYGG_REDIS_URL": s.URL(), "TRYGG_KEYS_FILE": keys}
	a := start(t, set)
	p := visit(t, a).press("next").press("b16").press("skip").press("rights")
	again := func() {
		t.Helper()
		a.stop()
		a = start(t, set)
		p.base = "http://" + a.webAddr
	}
	id, err := store.AddKey(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.ActivateKey(keys, id); err != nil {
		t.Fatal(err)
	}
	again()
	p.press("home").press("rights")
	if err := store.RetireKey(keys, 1); err != nil {
		t.Fatal(err)
	}
	again()
	p.press("home").sees("Hva vil du lese om?") // moved to the new key by the press before
	if err := os.Remove(keys); err != nil {
		t.Fatal(err)
	}
	if err := store.NewKeys(keys); err != nil {
		t.Fatal(err)
	}
	again()
	p.press("rights").sees("Jeg er en robot") // absent, not an error
	p.help().wantCard()
}

func TestF87_eraseLeavesNothing(t *testing.T) {
	for _, name := range []string{"in the middle", "twice", "after a key was added"} {
		t.Run(name, func(t *testing.T) {
			r, s := onRedis(t)
			p := visit(t, r).press("next").press("b10").press("skip").press("rights")
			if len(childKeys(s)) == 0 {
				t.Fatal("nothing was stored, so nothing is shown")
			}
			p.press("erase")
			if name == "twice" {
				p.press("erase")
			}
			if left := childKeys(s); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			p.sees("Jeg er en robot")
		})
	}
}

// childKeys are the keys of chats: all but leases, markers and seen-marks.
func childKeys(s *storetest.Server) (left []string) {
	for _, k := range s.Keys() {
		for _, kind := range []string{":c:", ":h:", ":o:", ":O:", ":d:", ":D:"} {
			if strings.Contains(k, kind) {
				left = append(left, k)
			}
		}
	}
	return left
}

func TestRoundTripsOfAPress(t *testing.T) {
	s := storetest.Redis(t)
	r := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()})
	p := visit(t, r).press("next").press("b10").press("skip")
	redis, ok := r.state.backend.(*store.Redis)
	if !ok {
		t.Fatal("not a Redis")
	}
	trips := store.CountTrips(redis)
	before := trips()
	p.press("rights")
	if n := trips() - before; n > 2 {
		t.Errorf("%d round trips, want at most 2", n)
	}
}
