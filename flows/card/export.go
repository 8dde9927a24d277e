package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"trygg/flows/content/data"
)

// style is the whole look of the static page: calm, large, light and dark. Its
// hash stands in the page's own policy, so nothing else can be loaded or run.
const style = `:root{color-scheme:light dark}` +
	`*{box-sizing:border-box}` +
	`body{margin:0 auto;max-width:40rem;padding:1rem 1rem 6rem;font:1.125rem/1.5 system-ui,sans-serif;background:#fff;color:#1b1b1f;overflow-wrap:anywhere}` +
	`nav ul,section ul{list-style:none;margin:0;padding:0}` +
	`nav ul{display:flex;flex-wrap:wrap;gap:.5rem}` +
	`a{color:#0b4f8a}` +
	`nav a,.call,.exit{display:inline-block;min-height:48px;padding:.7rem 1rem;border:2px solid #0b4f8a;border-radius:.75rem;text-decoration:none}` +
	`.call{font-weight:700;font-size:1.25rem;background:#0b4f8a;color:#fff;margin:.25rem .5rem .25rem 0}` +
	`.site{background:none;color:#0b4f8a;font-weight:400;font-size:1.125rem}` +
	`section{border-top:2px solid #c9c9d4;margin-top:2rem;padding-top:1rem}` +
	`section li{margin:1rem 0}` +
	`h1{margin:1rem 0 0;font-size:1.5rem}h2{margin:0 0 .5rem}h3{margin:0;font-size:1.125rem}p{margin:.5rem 0}` +
	`.exit{position:fixed;bottom:1rem;inset-inline-end:1rem;background:#fff;color:#1b1b1f;border-color:#1b1b1f}` +
	`a:focus-visible{outline:3px solid #b3541e;outline-offset:2px}` +
	`@media(prefers-color-scheme:dark){body{background:#16161a;color:#f2f2f5}a,.site{color:#9ecbff}nav a,.call{border-color:#9ecbff}.call{background:#9ecbff;color:#10202f}.site{background:none;color:#9ecbff}.exit{background:#16161a;color:#f2f2f5;border-color:#f2f2f5}}`

var static = template.Must(template.New("card").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{{.Hash}}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, noarchive">
<meta name="format-detection" content="telephone=no">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
{{if .Exit}}<a class="exit" href="{{.Exit}}" rel="noreferrer">{{.ExitLabel}}</a>
{{end}}{{if gt (len .Sections) 1}}<nav aria-label="{{.Title}}"><ul>
{{range .Sections}}<li><a href="#{{.ID}}" lang="{{.ID}}">{{.Name}}</a></li>
{{end}}</ul></nav>
{{end}}<main>
<h1>{{.Title}}</h1>
{{range .Sections}}<section id="{{.ID}}" lang="{{.Lang}}" dir="{{.Dir}}" aria-labelledby="h-{{.ID}}">
<h2 id="h-{{.ID}}" lang="{{.ID}}">{{.Name}}</h2>
{{range .Before}}<p>{{.}}</p>
{{end}}<p>{{range .Emergency}}<a class="call" href="tel:{{.Dial}}">{{.Name}} <bdi dir="ltr">{{.Number}}</bdi></a> {{end}}</p>
<ul>
{{range .Contacts}}<li><h3>{{.Name}}</h3>
<p>{{.Line}}</p>
{{if .Number}}<a class="call" href="tel:{{.Dial}}"><bdi dir="ltr">{{.Number}}</bdi></a> {{end}}{{if .Web}}<a class="call site" href="{{.Web}}" rel="noreferrer">{{.WebLabel}}</a>{{end}}</li>
{{end}}</ul>
{{range .After}}<p>{{.}}</p>
{{end}}</section>
{{end}}</main>
</body>
</html>
`))

// names are the languages' own names for themselves.
var names = map[string]string{
	"nb": "Bokmål", "nn": "Nynorsk", "en": "English", "se": "Davvisámegiella",
	"uk": "Українська", "pl": "Polski", "ar": "العربية", "so": "Soomaali",
}

type section struct {
	ID, Lang, Dir, Name string // ID is the language asked for, Lang the one it is in
	Before, After       []string
	Emergency, Contacts []Contact
}

// Export writes the card as one page of HTML that a proxy serves when
// everything is down: no script, nothing loaded, all the languages asked for
// (none = all) under one another with a list to jump by. It knows no time, so
// it says "day and night" or "see their page" and never "open now". exit is the
// address of the leave link (S23), "" = no link.
func (c *Card) Export(w io.Writer, exit string, locales ...string) error {
	if len(locales) == 0 {
		locales = Locales
	}
	sum := sha256.Sum256([]byte(style))
	page := struct {
		Lang, Dir, Hash, Title, Exit, ExitLabel string
		Style                                   template.CSS
		Sections                                []section
	}{Hash: base64.StdEncoding.EncodeToString(sum[:]), Exit: exit, Style: style}
	for _, locale := range locales {
		if !slices.Contains(Locales, locale) {
			return fmt.Errorf("export card: %q is not a language of the card", locale)
		}
		page.Sections = append(page.Sections, c.section(locale))
	}
	first := page.Sections[0]
	page.Lang, page.Dir = first.Lang, first.Dir
	head := c.words[first.Lang][""]
	page.Title, page.ExitLabel = head.text["card.static.title"], head.text["card.static.exit"]
	var out bytes.Buffer
	if err := static.Execute(&out, page); err != nil {
		return fmt.Errorf("export card: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("export card: %w", err)
	}
	return nil
}

// section is one language of the static page. A language that has no texts of
// its own is in bokmål, and its tag says so.
func (c *Card) section(locale string) section {
	w := c.words[locale][""]
	if len(w.text) < len(c.words[Source][""].text) {
		w = c.words[Source][""]
	}
	s := section{ID: locale, Lang: w.locale, Dir: "ltr", Name: names[locale]}
	if w.rtl {
		s.Dir = "rtl"
	}
	s.Before = w.all([]string{"card.static", "card.danger"})
	s.After = w.all([]string{"card.adult", "card.tell.alone", "card.trace"})
	list := c.ranked(Request{Locale: locale}, data.Home)
	three, rest := pick(list, time.Time{})
	// One page has no "more": the next three are on it.
	for _, p := range append(three, rest[:min(3, len(rest))]...) {
		s.Contacts = append(s.Contacts, w.contact(&p, time.Time{}))
	}
	for _, id := range []string{"112", "113"} {
		p, _ := c.data.Contact(id, "", "")
		s.Emergency = append(s.Emergency, w.contact(&p, time.Time{}))
	}
	return s
}
