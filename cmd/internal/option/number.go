package option

import (
	"math"
	"strconv"
	"strings"
)

// Numbers are read as the C library reads them (C11 sections 7.22.1.3 and
// 7.22.1.4): leading blanks and a sign are allowed, and what follows the
// number is given back. A text without a number gives ok false.

// scanUint reads a 64-bit unsigned integer, base 0. A minus sign negates
// modulo 2^64, and what doesn't fit becomes 2^64-1 whatever its sign.
func scanUint(s string) (v uint64, rest string, ok bool) {
	v, negative, fits, rest, ok := scanDigits(s)
	switch {
	case !fits:
		v = math.MaxUint64
	case negative:
		v = -v
	}
	return v, rest, ok
}

// scanInt reads a 64-bit signed integer, base 0, and stops at the ends of its
// range.
func scanInt(s string) (v int64, rest string, ok bool) {
	u, negative, fits, rest, ok := scanDigits(s)
	switch {
	case negative && (!fits || u > 1<<63):
		v = math.MinInt64
	case negative:
		v = -int64(u)
	case !fits || u > math.MaxInt64:
		v = math.MaxInt64
	default:
		v = int64(u)
	}
	return v, rest, ok
}

// wholeUint reads all of s as an unsigned int of 32 bits, the upper bits cut.
func wholeUint(s string) (uint32, bool) {
	v, rest, ok := scanUint(s)
	return uint32(v), ok && rest == ""
}

// leadingUint is wholeUint that ignores what follows the number.
func leadingUint(s string) (uint32, bool) {
	v, _, ok := scanUint(s)
	return uint32(v), ok
}

// wholeInt reads all of s as an int of 32 bits, the upper bits cut.
func wholeInt(s string) (int32, bool) {
	v, rest, ok := scanInt(s)
	return int32(v), ok && rest == ""
}

// wholeFloat reads all of s as a double.
func wholeFloat(s string) (float64, bool) {
	v, rest, ok := scanFloat(s)
	return v, ok && rest == ""
}

// scanDigits reads sign and digits in base 16 after 0x, 8 after 0, else 10.
func scanDigits(s string) (v uint64, negative, fits bool, rest string, ok bool) {
	t, negative := trimSign(s)
	base := uint64(10)
	switch {
	case hasHexPrefix(t) && len(t) > 2 && digit(t[2]) < 16:
		base, t = 16, t[2:]
	case strings.HasPrefix(t, "0"):
		base = 8
	}
	fits = true
	i := 0
	for ; i < len(t) && digit(t[i]) < base; i++ {
		d := digit(t[i])
		if v > (math.MaxUint64-d)/base {
			fits = false
		}
		v = v*base + d
	}
	if i == 0 {
		return 0, false, true, s, false
	}
	return v, negative, fits, t[i:], true
}

// scanFloat reads a double: decimal, hexadecimal, inf, infinity, nan and
// nan(chars), in any case. Overflow gives an infinity, underflow zero.
func scanFloat(s string) (v float64, rest string, ok bool) {
	t, negative := trimSign(s)
	n := 0
	if w := wordFloat(t); w > 0 {
		n, v = w, math.Inf(1)
		if t[0]|0x20 == 'n' {
			v = math.NaN()
		}
	} else if n = hexFloat(t); n > 0 {
		text := t[:n]
		if !strings.ContainsAny(text, "pP") {
			text += "p0" // C takes hexadecimal without exponent, Go doesn't
		}
		v = mustFloat(text)
	} else if n = mantissa(t, 10); n > 0 {
		n += exponent(t[n:], 'e')
		v = mustFloat(t[:n])
	} else {
		return 0, s, false
	}
	if negative {
		v = math.Copysign(v, -1)
	}
	return v, t[n:], true
}

// mustFloat converts a text whose syntax has been checked; a range error
// leaves the infinity that C gives too.
func mustFloat(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

// wordFloat is the length of the infinity or NaN that s begins with.
func wordFloat(s string) int {
	switch {
	case hasPrefixFold(s, "infinity"):
		return len("infinity")
	case hasPrefixFold(s, "inf"):
		return len("inf")
	case !hasPrefixFold(s, "nan"):
		return 0
	}
	if len(s) > 3 && s[3] == '(' {
		i := 4
		for i < len(s) && (digit(s[i]) < 36 || s[i] == '_') {
			i++
		}
		if i < len(s) && s[i] == ')' {
			return i + 1
		}
	}
	return len("nan")
}

func hexFloat(s string) int {
	if !hasHexPrefix(s) {
		return 0
	}
	n := mantissa(s[2:], 16)
	if n == 0 {
		return 0
	}
	return 2 + n + exponent(s[2+n:], 'p')
}

// mantissa is the length of digits with at most one point and at least one
// digit.
func mantissa(s string, base uint64) int {
	digits, point, i := 0, false, 0
	for ; i < len(s); i++ {
		if s[i] == '.' && !point {
			point = true
		} else if digit(s[i]) < base {
			digits++
		} else {
			break
		}
	}
	if digits == 0 {
		return 0
	}
	return i
}

// exponent is the length of an exponent, 0 if it has no digit.
func exponent(s string, letter byte) int {
	if s == "" || s[0]|0x20 != letter {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	for i < len(s) && digit(s[i]) < 10 {
		i++
	}
	if i == start {
		return 0
	}
	return i
}

// trimSign drops leading blanks and one sign.
func trimSign(s string) (rest string, negative bool) {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:], s[0] == '-'
	}
	return s, false
}

func hasHexPrefix(s string) bool {
	return len(s) >= 2 && s[0] == '0' && s[1]|0x20 == 'x'
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// digit is the value of c as a digit up to base 36, or more.
func digit(c byte) uint64 {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return math.MaxUint64
}

// formatG writes v as C's %g does: six significant digits.
func formatG(v float64) string {
	switch {
	case math.IsNaN(v) && math.Signbit(v):
		return "-nan"
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(v, 'g', -1, 64)), "+")
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
