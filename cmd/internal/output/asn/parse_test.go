package asn

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func result(p string, origins ...string) Result {
	r := Result{Origins: origins}
	if p != "" {
		r.Prefix = prefix(p)
	}
	return r
}

func TestParseWhois(t *testing.T) {
	long := strings.Repeat("1", 63)
	var many strings.Builder
	var most []string
	for i := range 99 {
		fmt.Fprintf(&many, "route: 10.0.0.0/8\norigin: AS%d\n", i)
		if i < 32 {
			most = append(most, fmt.Sprintf("AS%d", i))
		}
	}
	tests := []struct {
		name, reply string
		want        Result
	}{
		{"nothing", "", Result{}},
		{"no entries", "%  No entries found\n", Result{}},
		{"one", "route: 10.0.0.0/8\norigin: AS100\n", result("10.0.0.0/8", "AS100")},
		{"carriage returns", "route:\t10.0.0.0/8\r\norigin:\tAS100\r\n", result("10.0.0.0/8", "AS100")},
		{"no final newline", "route: 10.0.0.0/8\norigin: AS100", result("10.0.0.0/8", "AS100")},
		{"any case", "ROUTE: 10.0.0.0/8\nOrigin: as100\n", result("10.0.0.0/8", "as100")},
		{"comment", "route: 10.0.0.0/8# old\norigin: AS100 # new\n", result("10.0.0.0/8", "AS100")},
		{"longest first", "route: 10.1.0.0/16\norigin: AS2\nroute: 10.0.0.0/8\norigin: AS1\n", result("10.1.0.0/16", "AS2")},
		{"whole space", "route: 0.0.0.0/0\norigin: AS1\n", result("0.0.0.0/0", "AS1")},
		{"two origins of one route", "route: 10.0.0.0/8\norigin: AS1\norigin: AS2\n", result("10.0.0.0/8", "AS1", "AS2")},
		{"host bits set", "route: 10.1.1.1/8\norigin: AS1\n", result("10.0.0.0/8", "AS1")},
		{"short address", "route: 10.1/16\norigin: AS1\n", result("", "AS1")},
		{"another network", "route: 192.0.2.0/24\norigin: AS1\n", result("", "AS1")},
		{"other family", "route6: fd00::/32\norigin: AS1\n", result("", "AS1")},
		{"origin before its route", "origin: AS1\nroute: 10.0.0.0/8\n", Result{}},
		{"no length", "route: 10.0.0.0\norigin: AS1\n", Result{}},
		{"length no number", "route: 10.0.0.0/x\norigin: AS1\n", Result{}},
		{"negative length", "route: 10.0.0.0/-8\norigin: AS1\n", Result{}},
		{"length too large", "route: 10.0.0.0/129\norigin: AS1\n", Result{}},
		{"length far too large", "route: 10.0.0.0/99999999999999999999\norigin: AS1\n", Result{}},
		{"a bad length forgets the route before", "route: 10.0.0.0/8\nroute: 10.1.0.0/\norigin: AS1\n", Result{}},
		{"empty origin", "route: 10.0.0.0/8\norigin:\n", Result{}},
		{"escape", "route: 10.0.0.0/8\norigin: AS1\x1b[2J\n", Result{}},
		{"bracket", "route: 10.0.0.0/8\norigin: AS1]\n", Result{}},
		{"NUL", "route: 10.0.0.0/8\norigin: AS1\x00\n", Result{}},
		{"not ASCII", "route: 10.0.0.0/8\norigin: AS１\n", Result{}},
		{"unprintable origin of a longer prefix", "route: 10.0.0.0/8\norigin: AS1\nroute: 10.1.0.0/16\norigin: \a\n", result("10.0.0.0/8", "AS1")},
		{"longest word", "route: 10.0.0.0/8\norigin: A" + long + "\n", result("10.0.0.0/8", "A"+long)},
		{"word too long", "route: 10.0.0.0/8\norigin: AS" + long + "\n", Result{}},
		{"indented", " route: 10.0.0.0/8\n origin: AS1\n", Result{}},
		{"too many origins", many.String(), result("10.0.0.0/8", most...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseWhois(addr("10.1.1.1"), tt.reply), comparePrefixes); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseCymru(t *testing.T) {
	tests := []struct {
		name  string
		texts []string
		want  Result
	}{
		{"nothing", nil, Result{}},
		{"one", []string{"64500 | 10.0.0.0/8 | ZZ | arin | 1998-09-25"}, result("10.0.0.0/8", "AS64500")},
		{"several origins", []string{"23028 33362 | 10.0.0.0/8 | ZZ | arin | 1998-09-25"}, result("10.0.0.0/8", "AS23028", "AS33362")},
		{"longest of several", []string{
			"1 | 10.0.0.0/8 | ZZ | arin |", "2 3 | 10.1.0.0/16 | ZZ | arin |", "4 | 10.0.0.0/9 | ZZ | arin |",
		}, result("10.1.0.0/16", "AS2", "AS3")},
		{"origins in several records", []string{
			"2 | 10.1.0.0/16 | ZZ | arin |", "3 2 | 10.1.0.0/16 | ZZ | arin |",
		}, result("10.1.0.0/16", "AS2", "AS3")},
		{"no more fields", []string{"64500|10.0.0.0/8"}, result("10.0.0.0/8", "AS64500")},
		{"32-bit", []string{"4294967295 | 10.0.0.0/8 |"}, result("10.0.0.0/8", "AS4294967295")},
		{"beyond 32 bits", []string{"4294967296 | 10.0.0.0/8 |"}, Result{}},
		{"zero", []string{"0 | 10.0.0.0/8 |"}, Result{}},
		{"no number", []string{"NA | 10.0.0.0/8 |", "AS1 | 10.0.0.0/8 |", "-1 | 10.0.0.0/8 |"}, Result{}},
		{"no origin", []string{" | 10.0.0.0/8 |"}, Result{}},
		{"no prefix", []string{"1 | NA |", "1", "1 |", ""}, Result{}},
		{"another network", []string{"1 | 192.0.2.0/24 |"}, Result{}},
		{"other family", []string{"1 | ::ffff:10.0.0.0/104 |", "1 | ::/0 |"}, Result{}},
		{"escape", []string{"\x1b[2J1 | 10.0.0.0/8 |"}, Result{}},
		{"giant", []string{strings.Repeat("9", 65535), strings.Repeat("|", 65535), "1 | 10.0.0.0/8"}, result("10.0.0.0/8", "AS1")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseCymru(addr("10.1.1.1"), tt.texts), comparePrefixes); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResultString(t *testing.T) {
	for want, r := range map[string]Result{
		"*":       {},
		"!!":      {Failed: true},
		"AS1":     {Origins: []string{"AS1"}},
		"AS1/AS2": {Origins: []string{"AS1", "AS2"}},
	} {
		if got := r.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzWhois(f *testing.F) {
	f.Add("10.1.1.1", severalRoutes)
	f.Add("fd00::1", "route6: fd00::/16\norigin: AS64500\n")
	f.Add("10.1.1.1", "route: 10.0.0.0/8\norigin: AS1\x1b]0;x\a\n\x00origin:\r")
	f.Fuzz(func(t *testing.T, a, reply string) {
		checkSafe(t, a, func(a netip.Addr) Result { return parseWhois(a, reply) })
	})
}

func FuzzCymru(f *testing.F) {
	f.Add("10.1.1.1", "23028 33362 | 10.0.0.0/8 | ZZ | arin | 1998-09-25", "1 | 10.1.0.0/16 |")
	f.Add("fd00::1", "64500 | fd00::/16 | ZZ | ripencc |", "")
	f.Add("10.1.1.1", "\x1b | / | |", "|||")
	f.Fuzz(func(t *testing.T, a, one, two string) {
		checkSafe(t, a, func(a netip.Addr) Result { return parseCymru(a, []string{one, two}) })
	})
}

// checkSafe checks what must hold of any answer whatever its source says.
func checkSafe(t *testing.T, text string, ask func(netip.Addr) Result) {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		return
	}
	a = plain(a)
	r := ask(a)
	if len(r.Origins) > 32 {
		t.Errorf("%d origins, want 32 at most", len(r.Origins))
	}
	seen := make(map[string]bool)
	for _, o := range r.Origins {
		if seen[o] {
			t.Errorf("origin %q twice", o)
		}
		seen[o] = true
		if o == "" || len(o) > 64 || strings.ContainsFunc(o, func(c rune) bool { return c <= ' ' || c > '~' || c == ']' || c == '[' || c == '/' }) {
			t.Errorf("origin %q must not be printed", o)
		}
	}
	if r.Prefix.IsValid() && (!r.Prefix.Contains(a) || r.Prefix != r.Prefix.Masked()) {
		t.Errorf("prefix %v for %v", r.Prefix, a)
	}
	if len(r.Origins) == 0 && r.Prefix.IsValid() {
		t.Errorf("prefix %v without an origin", r.Prefix)
	}
}
