package card_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"trygg/flows/card"
)

func export(t *testing.T, exit string, locales ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := newCard(t).Export(&b, exit, locales...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStaticCardStandsAlone(t *testing.T) {
	page := export(t, "https://www.yr.no/")
	if len(page) > 60<<10 {
		t.Errorf("the page has %d bytes, at most 60 kB (S69)", len(page))
	}
	for _, never := range []string{"<script", "<img", "<link", "<iframe", "@import", "url(", "{{", "ZgotmplZ", "onclick", "cookie"} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	for _, want := range []string{`name="referrer" content="no-referrer"`, "noarchive", `href="https://www.yr.no/"`, `href="tel:112"`, `href="tel:113"`, `href="tel:116111"`, `lang="ar" dir="rtl"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, locale := range card.Locales {
		section := regexp.MustCompile(`(?s)<section id="` + locale + `" lang="` + locale + `".*?</section>`).FindString(page)
		if section == "" || !strings.Contains(section, "tel:112") || !strings.Contains(section, "116 111") || !strings.Contains(section, "https://www.116111.no") {
			t.Errorf("%s: help is not whole", locale)
		}
	}
	// The policy lets in exactly the style that stands there.
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	if !strings.Contains(page, "style-src &#39;sha256-"+base64.StdEncoding.EncodeToString(sum[:])) && !strings.Contains(page, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Error("the policy does not let the page's own style in")
	}
	all := readTexts(t)
	for _, id := range []string{"card.line.open", "card.line.closed", "card.line.chat_open"} {
		for _, locale := range card.Locales {
			if s, _ := all.Text(locale, id, ""); strings.Contains(page, s) {
				t.Errorf("a page that knows no time says %q", s)
			}
		}
	}
	title := regexp.MustCompile(`<title>(.*?)</title>`).FindStringSubmatch(page)[1]
	if title != "Informasjon" {
		t.Errorf("title is %q: it must be neutral (S21)", title)
	}
}

func TestStaticCardInOneLanguage(t *testing.T) {
	page := export(t, "", "ar")
	if !strings.Contains(page, `<html lang="ar" dir="rtl">`) || strings.Contains(page, "<nav") || strings.Contains(page, `class="exit"`) {
		t.Error("one language has a list of languages, or a link that leads nowhere")
	}
	if err := newCard(t).Export(&bytes.Buffer{}, "", "ru"); err == nil {
		t.Error("a language the card does not have was written")
	}
	if page := export(t, "javascript:alert(1)"); strings.Contains(page, "javascript:alert") {
		t.Error("a script got in as the leave link")
	}
}

func TestStaticCardOfALanguageWithoutTextsIsInBokmål(t *testing.T) {
	all := readTexts(t)
	all["so"] = nil
	c, err := card.New(all, embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.Export(&b, "", "so", "nb"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `<section id="so" lang="nb"`) || strings.Count(b.String(), `id="nb"`) != 1 {
		t.Error("the section does not say that it is in bokmål, or an anchor stands twice")
	}
}
