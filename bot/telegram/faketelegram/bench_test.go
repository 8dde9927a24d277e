package faketelegram_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"trygg/bot/telegram/faketelegram"
)

// What one call costs the server, so that a benchmark of a bot knows what is
// not the bot.
func BenchmarkEdit(b *testing.B) {
	keys := `{"inline_keyboard":[[{"text":"Ja","callback_data":"a"},{"text":"Nei","callback_data":"b"}],[{"text":"Hjelp","callback_data":"h.nb.10-12.0301..0."}]]}`
	bodies := map[string]func(text string) (string, []byte){
		"json": func(text string) (string, []byte) {
			return "application/json", []byte(`{"chat_id":41,"message_id":2,"text":"` + text + `","reply_markup":` + keys + `}`)
		},
		"multipart": func(text string) (string, []byte) {
			var out bytes.Buffer
			w := multipart.NewWriter(&out)
			for _, f := range [][2]string{{"chat_id", "41"}, {"message_id", "2"}, {"text", text}, {"reply_markup", keys}} {
				if err := w.WriteField(f[0], f[1]); err != nil {
					b.Fatal(err)
				}
			}
			w.Close()
			return w.FormDataContentType(), out.Bytes()
		},
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			s := newServer(b, faketelegram.Options{Keep: -1})
			s.Person(faketelegram.Profile{ID: kariID}).Say("/start")
			must(b, s, "sendMessage", args{"chat_id": kariID, "text": "hei"})
			typeA, bodyA := body("a")
			typeB, bodyB := body("b")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				kind, raw := typeA, bodyA
				if i%2 == 1 {
					kind, raw = typeB, bodyB
				}
				r := httptest.NewRequest(http.MethodPost, "/bot"+faketelegram.Token+"/editMessageText", bytes.NewReader(raw))
				r.Header.Set("Content-Type", kind)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
