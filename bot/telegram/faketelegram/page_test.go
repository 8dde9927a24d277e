package faketelegram_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"trygg/bot/telegram/faketelegram"
)

func TestChattingByHand(t *testing.T) {
	s := newServer(t, faketelegram.Options{})
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	show := func(res *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s %v\n%s", res.Status, err, b)
		}
		return string(b)
	}
	if page := show(http.Get(web.URL)); !strings.Contains(page, "Add a person to begin") {
		t.Errorf("an empty town:\n%s", page)
	}
	page := show(http.PostForm(web.URL+"/people", url.Values{"name": {"Kari <b>"}, "language": {"nb"}}))
	if !strings.Contains(page, "Kari &lt;b&gt;") {
		t.Errorf("Kari is not there, or not escaped:\n%s", page)
	}
	kari := s.People()[0]
	id := regexp.MustCompile(`name="p" value="(\d+)"`).FindStringSubmatch(page)[1]
	show(http.PostForm(web.URL+"/act", url.Values{"p": {id}, "do": {"say"}, "text": {"/start"}}))
	must(t, s, "sendMessage", args{"chat_id": kari.ID(), "text": "hei <script>", "reply_markup": inline([]args{button("Mer", "more")})})
	page = show(http.Get(web.URL + "/?p=" + id))
	if !strings.Contains(page, "hei &lt;script&gt;") || !strings.Contains(page, `name="data" value="more"`) {
		t.Errorf("the message is not there:\n%s", page)
	}
	show(http.PostForm(web.URL+"/act", url.Values{"p": {id}, "do": {"press"}, "message": {"2"}, "data": {"more"}}))
	if last := poll(t, s, 0); last[len(last)-1]["callback_query"] == nil {
		t.Errorf("no press came: %v", last)
	}
	if part := show(http.Get(web.URL + "/?part=chat&p=" + id)); strings.Contains(part, "<html") || !strings.Contains(part, "data-version") {
		t.Errorf("the part for the script:\n%s", part)
	}
	if v := show(http.Get(web.URL + "/changes?since=0")); v == "0" {
		t.Error("nothing changed")
	}
	for _, file := range []string{"/page/page.css", "/page/page.js"} {
		show(http.Get(web.URL + file))
	}
}

func TestThePageIsForThisMachineOnly(t *testing.T) {
	s := newServer(t, faketelegram.Options{})
	open := newServer(t, faketelegram.Options{Remote: true})
	tests := []struct {
		name   string
		server *faketelegram.Server
		from   string
		host   string
		site   string
		method string
		code   int
	}{
		{"from this machine", s, "127.0.0.1:5", "localhost:80", "", "GET", 200},
		{"from another machine", s, "192.0.2.1:5", "localhost", "", "GET", 403},
		{"by a foreign name that points here", s, "127.0.0.1:5", "evil.example", "", "GET", 403},
		{"a form of a foreign page", s, "127.0.0.1:5", "localhost", "cross-site", "POST", 403},
		{"from another machine where that is wanted", open, "192.0.2.1:5", "host.example", "", "GET", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/", nil)
			r.RemoteAddr, r.Host = test.from, test.host
			if test.site != "" {
				r.URL.Path = "/act"
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			w := httptest.NewRecorder()
			test.server.ServeHTTP(w, r)
			if w.Code != test.code {
				t.Errorf("got %d, want %d", w.Code, test.code)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("policy %q", csp)
			}
		})
	}
}
