package asn

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Result tells who announces an address.
type Result struct {
	// Origins are the AS words, such as AS64500, in the order in which the
	// source gave them, each once, at most 32. Several are a prefix that has
	// several origins. Empty is an address that nobody is known to announce.
	Origins []string
	// Prefix is the announced prefix. It is not valid where the source gave
	// none that holds the address.
	Prefix netip.Prefix
	// Failed is set when the source could not be asked or gave no whole answer
	// in time.
	Failed bool
}

const (
	maxOrigins = 32
	maxWord    = 64 // bytes; AS4294967295 has 12
)

// String gives what traceroute prints in brackets: the origins joined by "/",
// "*" for none, "!!" for a failed look-up.
func (r Result) String() string {
	switch {
	case r.Failed:
		return "!!"
	case len(r.Origins) == 0:
		return "*"
	}
	return strings.Join(r.Origins, "/")
}

// longest keeps the origins of the longest prefix that it was given.
type longest struct {
	addr    netip.Addr
	started bool // the next two are set
	bits    int
	result  Result
}

// add notes an origin of a prefix with that many bits. The prefix may be
// invalid where only its length is known.
func (l *longest) add(bits int, prefix netip.Prefix, origin string) {
	if !isWord(origin) || l.started && bits < l.bits {
		return
	}
	if !l.started || bits > l.bits {
		l.started, l.bits, l.result = true, bits, Result{}
	}
	if !l.result.Prefix.IsValid() && prefix.Contains(l.addr) {
		l.result.Prefix = prefix.Masked()
	}
	if len(l.result.Origins) < maxOrigins && !slices.Contains(l.result.Origins, origin) {
		l.result.Origins = append(l.result.Origins, origin)
	}
}

// isWord tells whether an origin is safe to print: letters, digits and the
// signs that the notations of AS numbers use. A bracket, a blank or a control
// character could forge output.
func isWord(s string) bool {
	if s == "" || len(s) > maxWord {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == ':', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// asWord gives the AS word of a number, "" for 0, which is reserved
// (RFC 7607).
func asWord(n uint32) string {
	if n == 0 {
		return ""
	}
	return "AS" + strconv.FormatUint(uint64(n), 10)
}

// parseNumber reads an AS number in decimal digits (RFC 5396, asplain).
func parseNumber(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}
