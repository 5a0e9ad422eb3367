package option

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeNames answers for a few names; one that is not there has no name server.
type fakeNames map[string][]string

var someNames = fakeNames{
	"four.test": {"192.0.2.1", "192.0.2.2"},
	"six.test":  {"2001:db8::1"},
	"dual.test": {"2001:db8::2", "::ffff:192.0.2.3"},
	"gone.test": nil,
}

func (f fakeNames) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	texts, known := f[host]
	var addrs []netip.Addr
	for _, text := range texts {
		a := netip.MustParseAddr(text)
		if v4 := a.Unmap().Is4(); network == "ip" || v4 == (network == "ip4") {
			addrs = append(addrs, a)
		}
	}
	switch {
	case !known:
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	case len(addrs) == 0:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

func noEnv(string) (string, bool) { return "", false }

func parse(argv ...string) (*Options, error) {
	return parseEnv(noEnv, argv...)
}

// parseEnv is Parse on a machine of the tests' own.
func parseEnv(env func(string) (string, bool), argv ...string) (*Options, error) {
	names := database{services: "testdata/services", protocols: "testdata/protocols"}
	return newParser(context.Background(), argv, HostResolver{Names: someNames}, names).parse(argv, env)
}

// wantExit checks that err is an Exit and gives it.
func wantExit(t *testing.T, err error) *Exit {
	t.Helper()
	var exit *Exit
	if !errors.As(err, &exit) {
		t.Fatalf("got error %v, want an Exit", err)
	}
	return exit
}

func TestRefused(t *testing.T) {
	for _, r := range refusedRows() {
		_, err := parse(r.argv()...)
		if err == nil {
			t.Errorf("%s: accepted, want %q", r.line, r.stderr)
			continue
		}
		want := &Exit{Code: 2, Stderr: r.stderr}
		if diff := cmp.Diff(want, wantExit(t, err)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", r.line, diff)
		}
	}
}

func TestExitError(t *testing.T) {
	tests := []struct {
		exit Exit
		want string
	}{
		{Exit{Stderr: "two\n  lines\n"}, "two lines"},
		{Exit{Stderr: "\n"}, "command line refused"},
	}
	for _, tt := range tests {
		if got := tt.exit.Error(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.exit, got, tt.want)
		}
	}
}

// TestEarlyExit has what ends the parsing at once, with code 0.
func TestEarlyExit(t *testing.T) {
	const usageLine = "Usage:\n"
	versionLine := "hopquote " + Version + "\n"
	tests := []struct{ line, prefix string }{
		{"", usageLine},
		{"--help", usageLine},
		{"-n --help -m abc", usageLine},
		{"-V", versionLine},
		{"--version", versionLine},
		{"-nV x y z", versionLine},
		{"-VZ", versionLine},
		{"-V -m abc", versionLine},
		{"-V=3", versionLine},
		{"-O help", "No options for module `default'\n"},
		{"-O help -T", "No options for module `default'\n"},
		{"-U -O help", "No options for module `udp'\n"},
		{"-M NoPe -O help", "No options for module `NoPe'\n"},
		{"-M TCPconn -O help", "No options for module `TCPconn'\n"},
		{"-M Tcp -O foo,~help", "  syn   "},
		{"-T -O foo --options=help,foo", "  syn   "},
		{"-I -Ohelp", "  raw   "},
		{"-UL -O help", "  coverage=NUM   "},
		{"-D -O help", "  service=NUM   "},
		{"-P 3 -O help", "  protocol=PROT   "},
	}
	for _, tt := range tests {
		_, err := parse(words("traceroute", tt.line)...)
		exit := wantExit(t, err)
		if exit.Code != 0 || exit.Stdout != "" || !strings.HasPrefix(exit.Stderr, tt.prefix) {
			t.Errorf("%q: got %d %.60q on stderr, want 0 %q", tt.line, exit.Code, exit.Stderr, tt.prefix)
		}
	}
}
