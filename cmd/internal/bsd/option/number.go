package option

import (
	"fmt"
	"strings"
)

// number reads decimal or 0x hexadecimal digits, as strtol(3) does after
// blanks and a sign, and checks them against the limits. A least value of 0 or
// more is checked, and a greatest one below noLimit.
func number(s, what string, least, most int64) (int64, error) {
	v, ok := scan(s)
	switch {
	case !ok:
		// The blank at the end is the original's.
		return 0, refuse("%q bad value for %s ", quoted(s), what)
	case v < least && least == 0:
		return 0, refuse("%s must be >= 0", what)
	case v < least:
		return 0, refuse("%s must be > %d", what, least-1)
	case v > most && most < noLimit:
		return 0, refuse("%s must be <= %d", what, most)
	}
	return min(v, noLimit), nil
}

// quoted prints a value between quotation marks as it is, unless a terminal
// might choke on it.
type quoted string

// Format implements fmt.Formatter for %q.
func (q quoted) Format(f fmt.State, _ rune) {
	for _, r := range string(q) {
		if r < ' ' || r == 0x7f {
			fmt.Fprintf(f, "%q", string(q))
			return
		}
	}
	fmt.Fprintf(f, `"%s"`, string(q))
}

// scan reads a whole number; no digits at all are 0, as they are to strtol.
// What is beyond 64 bits stays at the greatest value.
func scan(s string) (int64, bool) {
	base := int64(10)
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		s, base = s[2:], 16
	}
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
		if s == "" {
			return 0, false
		}
	}
	var v int64
	for i := range len(s) {
		d := digit(s[i])
		if d >= base {
			return 0, false
		}
		v = min(v*base+d, noLimit+1)
	}
	if negative {
		v = -v
	}
	return v, true
}

func digit(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'a' && c <= 'f':
		return int64(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int64(c-'A') + 10
	}
	return 16
}
