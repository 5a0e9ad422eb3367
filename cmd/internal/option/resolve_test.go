package option

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseIPv4(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1":             "10.0.0.1",
		"0":                    "0.0.0.0",
		"127.1":                "127.0.0.1",
		"1.2":                  "1.0.0.2",
		"10.0x1":               "10.0.0.1",
		"1.2.65535":            "1.2.255.255",
		"1.16777215":           "1.255.255.255",
		"4294967295":           "255.255.255.255",
		"0x0a020202":           "10.2.2.2",
		"010.2.2.2":            "8.2.2.2",
		"0xFF.0XFF.1":          "255.255.0.1",
		"00000000000000000001": "0.0.0.1",
	} {
		if got, ok := parseIPv4(text); !ok || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", ".", "1.", ".1", "1..2", "1.2.3.4.", "1.2.3.4.5", "256.1", "0400.1", "10.0.0.256", "1.2.65536",
		"1.16777216", "4294967296", "0x1000000000", "99999999999999999999999", "08.1.1.1", "1.2.3.0x", "0x",
		"1.2.3.4 ", " 1.2.3.4", "1.-2", "1.+2", "1. 2", "a", "\xb2",
	} {
		if got, ok := parseIPv4(text); ok {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}

// oneInterface is a machine with eth7 alone.
type oneInterface struct{}

func (oneInterface) exists(name string) bool       { return name == "eth7" }
func (oneInterface) name(index int) (string, bool) { return "eth7", index == 7 }

func TestParseIPv6(t *testing.T) {
	for text, want := range map[string]string{
		"::1":                "::1",
		"::1.2.3.4":          "::102:304",
		"::ffff:1.2.3.4":     "::ffff:1.2.3.4",
		"fe80::1%eth7":       "fe80::1%eth7",
		"febf::1%eth7":       "febf::1%eth7",
		"ff02::1%eth7":       "ff02::1%eth7",
		"ff01::1%eth7":       "ff01::1%eth7",
		"fe80::1%7":          "fe80::1%eth7",
		"fe80::1%07":         "fe80::1%eth7",
		"fe80::1%8":          "fe80::1%8",
		"fe80::1%4294967295": "fe80::1%4294967295",
		"fe80::1%0":          "fe80::1",
		"2001:db8::1%7":      "2001:db8::1%7",
	} {
		if got, ok := parseIPv6(text, oneInterface{}); !ok || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "1.2.3.4", "::1::", "[::1]", "::1/64", "::ffff:1.2.3.04", "::ffff:1.2.3", "1.2.3.4%7", "%7",
		"fe80::1%", "fe80::1%eth8", "fe80::1%4294967296", "fe80::1%+7", "fe80::1%-7", "fe80::1%7x", "fe80::1%eth7%eth7",
		"::1%eth7", "2001:db8::1%eth7", "ff05::1%eth7", "fec0::1%eth7",
	} {
		if got, ok := parseIPv6(text, oneInterface{}); ok {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}

func TestLookup(t *testing.T) {
	addrs := func(texts ...string) (all []netip.Addr) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	tests := []struct {
		name   string
		family int
		want   []netip.Addr
		err    error
	}{
		{"1.2", 0, addrs("1.0.0.2"), nil},
		{"1.2", 4, addrs("1.0.0.2"), nil},
		{"1.2", 6, nil, errFamily},
		{"::1", 0, addrs("::1"), nil},
		{"::1", 4, nil, errFamily},
		{"fe80::1%eth7", 6, addrs("fe80::1%eth7"), nil},
		{"fe80::1%eth8", 6, nil, errUnknownName},
		{"::ffff:1.2.3.4", 0, addrs("::ffff:1.2.3.4"), nil},
		{"::ffff:1.2.3.4", 4, addrs("1.2.3.4"), nil},
		{"::ffff:1.2.3.4", 6, addrs("::ffff:1.2.3.4"), nil},
		{"four.test", 0, addrs("192.0.2.1", "192.0.2.2"), nil},
		{"four.test", 6, nil, errNoAddress},
		{"six.test", 4, nil, errNoAddress},
		{"dual.test", 0, addrs("2001:db8::2", "192.0.2.3"), nil},
		{"dual.test", 6, addrs("2001:db8::2"), nil},
		{"gone.test", 0, nil, errUnknownName},
		{"gone.test", 4, nil, errUnknownName},
		{"10.0.0.256", 0, nil, errTryAgain},
		{"10.0.0.256", 4, nil, errUnknownName},
		{"10.0.0.256", 6, nil, errTryAgain},
		{"10.0.0.", 4, nil, errTryAgain},
		{"nosuch", 0, nil, errTryAgain},
		{"nosuch", 6, nil, errTryAgain},
	}
	r := HostResolver{Names: someNames}
	for _, tt := range tests {
		got, err := r.lookup(context.Background(), tt.name, tt.family, oneInterface{})
		if diff := cmp.Diff(tt.want, got, compareAddr); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s, family %d: error %v, want %v; (-want +got)\n%s", tt.name, tt.family, err, tt.err, diff)
		}
	}
	_, err := r.Lookup(context.Background(), "nosuch", 0)
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.Name != "nosuch" {
		t.Errorf("nosuch: error %#v doesn't unwrap to the one of net", err)
	}
}

func TestIsHostName(t *testing.T) {
	long := strings.Repeat("aaaaaaa.", 31) // 248 bytes
	label := strings.Repeat("a", 63)
	for _, name := range []string{"a", "a.", ".", "a.-b", "a-", "_x", "a_b.C9", "10.0.0.256", label, long + "aaaaa", long + "aaaaa."} {
		if !isHostName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "..", "a..", "a..b", ".a", "-", "-a.b", "a b", "a,b", "a%b", "*", "a\\.b", "\xe9", label + "a", long + "aaaaaa"} {
		if isHostName(name) {
			t.Errorf("%q is taken", name)
		}
	}
}

// answer is a resolver that says one thing about every name.
type answer struct {
	addrs []netip.Addr
	err   error
}

func (a answer) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return a.addrs, a.err
}

func (a answer) Lookup(context.Context, string, int) ([]netip.Addr, error) { return a.addrs, a.err }

func TestOddAnswers(t *testing.T) {
	tests := []struct {
		name string
		answer
		family int
		want   error
	}{
		{"nothing", answer{}, 0, errNoAddress},
		{"hosts file of the other family", answer{err: &net.AddrError{Err: "no suitable address"}}, 4, errUnknownName},
		{"timeout", answer{err: &net.DNSError{IsTimeout: true}}, 4, errTryAgain},
		{"cancelled", answer{err: context.Canceled}, 0, errTryAgain},
	}
	for _, tt := range tests {
		if _, err := (HostResolver{Names: tt.answer}).Lookup(t.Context(), "name", tt.family); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}

	// What another Resolver may say must not break the messages.
	for _, tt := range []struct {
		answer
		want string
	}{
		{answer{}, "name: No address associated with hostname\nCannot handle \"host\" cmdline arg `name' on position 1 (argc 1)\n"},
		{answer{addrs: make([]netip.Addr, 2)}, "Cannot handle \"host\" cmdline arg `name' on position 1 (argc 1)\n"},
		{answer{err: errors.New("two\nlines")}, "name: two lines\nCannot handle \"host\" cmdline arg `name' on position 1 (argc 1)\n"},
	} {
		_, err := Parse(t.Context(), []string{"traceroute", "name"}, noEnv, tt.answer)
		if exit := wantExit(t, err); exit.Stderr != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.answer, exit.Stderr, tt.want)
		}
	}
}

func TestSystemInterfaces(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skipf("no interfaces to look up: %v", err)
	}
	known := systemInterfaces{}
	if name, ok := known.name(all[0].Index); !ok || name != all[0].Name || !known.exists(name) {
		t.Errorf("interface %d: got %q, %v, want %q", all[0].Index, name, ok, all[0].Name)
	}
	if _, ok := known.name(0x7ffffff0); ok || known.exists("no such interface") {
		t.Error("an interface that can't be there was found")
	}
}

func TestDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services")
	const text = "# comment\n\nalone\nbad x/tcp\nhttp\t80/tcp  www web # www3\nHTTP 81/udp\nbad 7/tcp\nhttp 82/udp\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := database{services: file, protocols: filepath.Join(t.TempDir(), "missing")}
	for name, want := range map[string]uint32{"http": 80, "www": 80, "web": 80, "HTTP": 81, "bad": 7} {
		if got, ok := d.service(name); !ok || got != want {
			t.Errorf("%s: got %d, %v, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "alone", "www3", "Http", "80/tcp", "#", "comment"} {
		if got, ok := d.service(name); ok {
			t.Errorf("%q: got %d, want none", name, got)
		}
	}
	if got, ok := d.protocol("tcp"); ok {
		t.Errorf("a file that isn't there gives protocol %d", got)
	}
}
