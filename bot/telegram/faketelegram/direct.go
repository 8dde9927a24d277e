package faketelegram

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync"
	"syscall"
)

// Client is an HTTP client that reaches the server without a socket, whatever
// host its addresses name. In a synctest bubble, where a socket would hold the
// clock, time goes on while a call waits.
func (s *Server) Client() *http.Client { return &http.Client{Transport: Direct(s)} }

// Direct brings requests to a handler in this process. A handler that breaks
// the connection gives the client a reset. Answers are whole when they arrive.
func Direct(h http.Handler) http.RoundTripper { return direct{h} }

type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &memory{head: http.Header{}, code: http.StatusOK}
	done := make(chan error, 1)
	go func() {
		defer func() {
			// As net/http: a handler that panics has broken its connection.
			if recover() != nil {
				done <- syscall.ECONNRESET
				return
			}
			done <- nil
		}()
		d.handler.ServeHTTP(w, in)
	}()
	select {
	case err := <-done:
		if r.Body != nil {
			r.Body.Close()
		}
		if err != nil {
			return nil, err
		}
	case <-r.Context().Done():
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, r.Context().Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return &http.Response{
		Status: strconv.Itoa(w.code) + " " + http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.head, Body: io.NopCloser(bytes.NewReader(w.body.Bytes())), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// memory is an answer being written.
type memory struct {
	head http.Header
	mu   sync.Mutex
	code int
	sent bool
	body bytes.Buffer
}

func (w *memory) Header() http.Header { return w.head }

func (w *memory) WriteHeader(code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.sent {
		w.code, w.sent = code, true
	}
}

func (w *memory) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = true
	return w.body.Write(p)
}
