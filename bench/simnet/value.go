package simnet

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxDelay bounds what a script may delay a reply by.
const maxDelay = time.Hour

// number reads the next word as a number from low to top; 0x and 0 prefixes
// are hexadecimal and octal.
func (c *cursor) number(what string, low, top uint64) (uint64, error) {
	w, ok := c.take()
	if !ok {
		return 0, fmt.Errorf("%s is missing: a number from %d to %d", what, low, top)
	}
	return parseNumber(w, what, low, top)
}

func parseNumber(w, what string, low, top uint64) (uint64, error) {
	n, err := strconv.ParseUint(w, 0, 64)
	if err != nil || n < low || n > top {
		return 0, fmt.Errorf("%s %q: must be a number from %d to %d", what, w, low, top)
	}
	return n, nil
}

// parseSpan reads N, N-M or N- as a range within low and top.
func parseSpan(w, what string, low, top uint64) (first, last uint64, err error) {
	a, b, isSpan := strings.Cut(w, "-")
	if first, err = parseNumber(a, what, low, top); err != nil {
		return 0, 0, err
	}
	switch {
	case !isSpan:
		return first, first, nil
	case b == "":
		return first, top, nil
	}
	last, err = parseNumber(b, what, first, top)
	return first, last, err
}

func (c *cursor) addr(what string) (netip.Addr, error) {
	w, ok := c.take()
	if !ok {
		return netip.Addr{}, fmt.Errorf("%s is missing: an IPv4 or IPv6 address", what)
	}
	return parseAddr(w, what)
}

func parseAddr(w, what string) (netip.Addr, error) {
	a, err := netip.ParseAddr(w)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return netip.Addr{}, fmt.Errorf("%s %q: must be an IPv4 or IPv6 address", what, w)
	}
	return a, nil
}

// delay reads D or D..D.
func (c *cursor) delay() (d [2]time.Duration, err error) {
	w, ok := c.take()
	if !ok {
		return d, fmt.Errorf("delay is missing: a duration like 10ms, or two like 10ms..20ms")
	}
	a, b, isRange := strings.Cut(w, "..")
	if !isRange {
		b = a
	}
	for i, s := range []string{a, b} {
		if d[i], err = time.ParseDuration(s); err != nil || d[i] < 0 || d[i] > maxDelay {
			return d, fmt.Errorf("delay %q: must be durations from 0s to %v like 10ms or 10ms..20ms", w, maxDelay)
		}
	}
	if d[1] < d[0] {
		return d, fmt.Errorf("delay %q: the second must not be less than the first", w)
	}
	return d, nil
}

// percent reads N% as a share of one.
func (c *cursor) percent(what string) (float64, error) {
	w, _ := c.take()
	digits, hasSign := strings.CutSuffix(w, "%")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !hasSign || !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf("%s %q: must be 0%% to 100%%", what, w)
	}
	return n / 100, nil
}

// rate reads N/s.
func (c *cursor) rate() (float64, error) {
	w, _ := c.take()
	digits, hasUnit := strings.CutSuffix(w, "/s")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !hasUnit || !(n > 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("rate %q: must be a number above 0 per second, like 10/s", w)
	}
	return n, nil
}

// hex reads up to limit bytes.
func (c *cursor) hex(what string, limit int) ([]byte, error) {
	w, _ := c.take()
	b, err := hex.DecodeString(w)
	if err != nil || len(b) == 0 || len(b) > limit {
		return nil, fmt.Errorf("%s %q: must be 1 to %d bytes in hexadecimal", what, w, limit)
	}
	return b, nil
}
