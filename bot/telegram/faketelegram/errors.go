package faketelegram

import (
	"fmt"
	"strconv"
)

// apiError is an answer with "ok": false, with the real server's text.
type apiError struct {
	code       int
	text       string
	retryAfter int
}

func (e *apiError) Error() string { return strconv.Itoa(e.code) + " " + e.text }

func bad(format string, args ...any) error {
	return &apiError{code: 400, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func forbidden(text string) error { return &apiError{code: 403, text: "Forbidden: " + text} }

func conflict(text string) error { return &apiError{code: 409, text: "Conflict: " + text} }

func tooMany(seconds int) error {
	return &apiError{code: 429, text: "Too Many Requests: retry after " + strconv.Itoa(seconds), retryAfter: seconds}
}

// strict is a fault that the real server would let pass and this one does not:
// its text says so, since nobody will find it in the real documentation.
func strict(format string, args ...any) error {
	return &apiError{code: 400, text: "Bad Request: (strict) " + fmt.Sprintf(format, args...)}
}
