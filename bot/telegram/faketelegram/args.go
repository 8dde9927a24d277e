package faketelegram

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kinds of bodies, as Call.Body names them.
const (
	Query     = "query"     // no body: GET, or everything in the address
	JSON      = "json"      // application/json
	Form      = "form"      // application/x-www-form-urlencoded
	Multipart = "multipart" // multipart/form-data
	Webhook   = "webhook"   // carried by the answer to a webhook delivery
)

// Limits of the real server on what a call may carry.
const (
	maxParams = 4 << 20  // all arguments together
	maxBody   = 50 << 20 // with files
)

// call is one call of a method. As in the real server every argument is text:
// a JSON string without its quotes, anything else in JSON as it was written.
type call struct {
	method string // in lower case
	args   map[string]string
	files  map[string]upload
	body   string
	bytes  int
}

type upload struct {
	name string
	size int
}

func (c *call) bool(name string) bool {
	switch strings.ToLower(strings.TrimSpace(c.args[name])) {
	case "true", "yes", "1":
		return true
	}
	return false
}

func (c *call) int(name string, otherwise, least, most int) int {
	n := otherwise
	if s := c.args[name]; s != "" {
		n, _ = strconv.Atoi(s)
	}
	return min(max(n, least), most)
}

// attached says whether an argument points at the uploaded file.
func (c *call) attached(file string) bool {
	for _, v := range c.args {
		if strings.Contains(v, "attach://"+file) {
			return true
		}
	}
	return false
}

// readCall reads the arguments of a request from its address and body.
func readCall(w http.ResponseWriter, r *http.Request, method string) (*call, error) {
	c := &call{method: strings.ToLower(method), args: map[string]string{}, body: Query}
	if r.URL.RawQuery != "" {
		if err := c.readForm(r.URL.RawQuery); err != nil {
			return c, err
		}
	}
	if r.Body != nil && r.Body != http.NoBody {
		if err := c.readBody(http.MaxBytesReader(w, r.Body, maxBody), r.Header.Get("Content-Type"), r.ContentLength); err != nil {
			return c, err
		}
	}
	if c.method == "" {
		c.method = strings.ToLower(c.args["method"])
		delete(c.args, "method")
	}
	return c, nil
}

// readBody adds the arguments of a body; an empty one has none, whatever its
// type says.
func (c *call) readBody(body io.Reader, contentType string, length int64) error {
	var buf bytes.Buffer
	if length > 0 && length < maxParams {
		buf.Grow(int(length) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(body)
	c.bytes = int(n)
	if err != nil {
		return &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large"}
	}
	kind, params, _ := mime.ParseMediaType(contentType)
	switch {
	case kind == "multipart/form-data":
		c.body = Multipart
		if n == 0 {
			return nil
		}
		if params["boundary"] == "" {
			return bad("boundary not found")
		}
		return c.readMultipart(&buf, params["boundary"])
	case n == 0:
		return nil
	case n > maxParams:
		return &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large: too many parameters"}
	case kind == "application/json":
		c.body = JSON
		return c.readJSON(buf.Bytes())
	case kind == "application/x-www-form-urlencoded":
		c.body = Form
		return c.readForm(buf.String())
	}
	// The real server knows no other type and takes such a body for nothing at
	// all; a client that sends one has a fault, so say it.
	return strict("a body of type %q is not read", contentType)
}

func (c *call) readForm(s string) error {
	for pair := range strings.SplitSeq(s, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			return strict("%q is not form-encoded", pair)
		}
		c.args[key] = value
	}
	return nil
}

func (c *call) readJSON(body []byte) error {
	var members map[string]json.RawMessage
	if t := bytes.TrimSpace(body); len(t) == 0 || t[0] != '{' {
		return bad("JSON object expected")
	}
	if err := json.Unmarshal(body, &members); err != nil {
		return bad("can't parse parameter value: %s", err)
	}
	for k, v := range members {
		if v[0] != '"' {
			c.args[k] = string(v)
			continue
		}
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return bad("can't parse parameter value: %s", err)
		}
		// encoding/json puts U+FFFD for broken bytes; the real server refuses them.
		if !utf8.Valid(v) {
			return bad("strings must be encoded in UTF-8")
		}
		c.args[k] = s
	}
	return nil
}

func (c *call) readMultipart(body io.Reader, boundary string) error {
	parts := multipart.NewReader(body, boundary)
	total := 0
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return bad("can't parse form data headers")
		}
		name := part.FormName()
		if name == "" {
			return bad("field name in multipart/form-data not found")
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return bad("unexpected end of request content")
		}
		if file := part.FileName(); file != "" {
			if c.files == nil {
				c.files = map[string]upload{}
			}
			c.files[name] = upload{name: file, size: len(value)}
			continue
		}
		if total += len(value); total > maxParams {
			return &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large: too many parameters in form data"}
		}
		c.args[name] = string(value)
	}
}
