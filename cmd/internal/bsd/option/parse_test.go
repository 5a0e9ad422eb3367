package option_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
)

// hosts knows dst, whose canonical name is dst.example.net, and addresses.
type hosts struct{}

func (hosts) Lookup(_ context.Context, name string, _ int) ([]netip.Addr, error) {
	if name == "dst" {
		return []netip.Addr{addr("10.2.2.2"), addr("10.2.2.3")}, nil
	}
	a, err := netip.ParseAddr(name)
	if err != nil || !a.Is4() {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{a}, nil
}

func (hosts) LookupCNAME(_ context.Context, host string) (string, error) {
	if host != "dst" {
		return "", errors.New("no such host")
	}
	return "dst.example.net.", nil
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func parse(words ...string) (*option.Options, string, error) {
	var warnings bytes.Buffer
	o, err := option.Parse(context.Background(), words, option.Surroundings{
		Err: &warnings, Hosts: hosts{}, Exists: func(name string) bool { return name == "eth0" },
	})
	return o, warnings.String(), err
}

func TestMessages(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"nohost", "unknown host nohost"},
		{"fe80::1", "unknown host fe80::1"},
		{"-g nohost 10.2.2.2", "unknown host nohost"},
		{"-s nohost 10.2.2.2", "unknown host nohost"},
		{"-q 0 10.2.2.2", "nprobes must be > 0"},
		{"-q -1 10.2.2.2", "nprobes must be > 0"},
		{"-q x 10.2.2.2", `"x" bad value for nprobes `},
		{"-f 256 10.2.2.2", "first ttl must be <= 255"},
		{"-M 0 10.2.2.2", "first ttl must be > 0"},
		{"-m abc 10.2.2.2", `"abc" bad value for max ttl `},
		{"-m 0x1g 10.2.2.2", `"0x1g" bad value for max ttl `},
		{"-m 99999999999999999999 10.2.2.2", "max ttl must be <= 255"},
		{"-f 5 -m 3 10.2.2.2", "first ttl (5) may not be greater than max ttl (3)"},
		{"-f 31 nohost", "first ttl (31) may not be greater than max ttl (30)"},
		{"-p 0 10.2.2.2", "port must be > 0"},
		{"-p 65536 10.2.2.2", "port must be <= 65535"},
		{"-t 256 10.2.2.2", "tos must be <= 255"},
		{"-t -1 10.2.2.2", "tos must be >= 0"},
		{"-w 0 10.2.2.2", "wait time must be > 0"},
		{"-w 1.5 10.2.2.2", `"1.5" bad value for wait time `},
		{"-z 3600001 10.2.2.2", "pause msecs must be <= 3600000"},
		{"-P nosuch 10.2.2.2", `"nosuch" bad value for proto number `},
		{"-P 256 10.2.2.2", "proto number must be <= 255"},
		{"-P 0 10.2.2.2", "proto number must be > 0"},
		{"10.2.2.2 27", "packet length must be > 27"},
		{"10.2.2.2 32769", "packet length must be <= 32768"},
		{"-I 10.2.2.2 47", "packet length must be > 47"},
		{"-P tcp 10.2.2.2 39", "packet length must be > 39"},
		{"-P 253 10.2.2.2 23", "packet length must be > 23"},
		{"-g 10.2.2.3 10.2.2.2 35", "packet length must be > 35"},
		{"-i nope 10.2.2.2", "Can't find interface nope"},
		{strings.Repeat("-g 10.2.2.3 ", 9) + "10.2.2.2", "No more than 8 gateways"},
	} {
		_, _, err := parse(strings.Fields(c.words)...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.words, err, c.want)
		}
		var refusal option.Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s: error is a %T", c.words, err)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, words := range []string{"", "-k 10.2.2.2", "-nk 10.2.2.2", "-m", "-nm", "10.2.2.2 40 1", "-n", "--", "-Q", "--help"} {
		if _, _, err := parse(strings.Fields(words)...); !errors.Is(err, option.ErrUsage) {
			t.Errorf("%q: error %v, want usage", words, err)
		}
	}
	want := `Usage: traceroute [-adDeFInrSvx] [-A as_server] [-f first_ttl] [-g gateway]
        [-i interface] [-M first_ttl] [-m max_ttl] [-P protocol] [-p port]
        [-q queries] [-s source] [-t tos] [-w seconds] [-z milliseconds] host
        [packetlen]
`
	first, rest, _ := strings.Cut(option.Usage(), "\n")
	if !strings.HasPrefix(first, "Version ") {
		t.Errorf("first line %q", first)
	}
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	type change = func(*option.Options)
	for _, c := range []struct {
		words  string
		change change
	}{
		{"10.2.2.2", func(*option.Options) {}},
		{"-d 10.2.2.2", func(*option.Options) {}},
		{"-- 10.2.2.2", func(*option.Options) {}},
		{"-aDeFnrSvx 10.2.2.2", func(o *option.Options) {
			o.ASN, o.Diff, o.FixedPort, o.DontFragment, o.Numeric = true, true, true, true, true
			o.DontRoute, o.Summary, o.Verbose, o.NoChecksum = true, true, 1, true
		}},
		{"-vv -v 10.2.2.2", func(o *option.Options) { o.Verbose = 3 }},
		{"-xx 10.2.2.2", func(*option.Options) {}},
		{"-A whois.example.net 10.2.2.2", func(o *option.Options) { o.ASN, o.ASServer = true, "whois.example.net" }},
		{"-f2 -m0x10 -q 1 10.2.2.2", func(o *option.Options) { o.First, o.Last, o.Queries = 2, 16, 1 }},
		{"-M 2 -m 2 10.2.2.2", func(o *option.Options) { o.First, o.Last = 2, 2 }},
		{"-q 1000 10.2.2.2", func(o *option.Options) { o.Queries = 1000 }},
		{"-w 2 -z 250 -t 0xff 10.2.2.2", func(o *option.Options) {
			o.Wait, o.Pause, o.TOS = 2*time.Second, 250*time.Millisecond, 255
		}},
		{"-i eth0 -s 10.9.9.1 10.2.2.2", func(o *option.Options) {
			o.Interface, o.Source, o.SourceAddr = "eth0", "10.9.9.1", addr("10.9.9.1")
		}},
		{"-np 53 10.2.2.2 1000", func(o *option.Options) { o.Numeric, o.Port, o.Size = true, 53, 1000 }},
		{"-g 10.1.1.1 -g10.1.2.1 10.2.2.2", func(o *option.Options) {
			o.Gateways = []netip.Addr{addr("10.1.1.1"), addr("10.1.2.1")}
		}},
		{"-P UDP 10.2.2.2", func(*option.Options) {}},
		{"-I -P 17 10.2.2.2 28", func(o *option.Options) { o.Size = 28 }},
		{"-I 10.2.2.2", func(o *option.Options) { o.Port, o.Size = 0, 48 }},
		{"-P icmp -p 7 10.2.2.2", func(o *option.Options) { o.Port, o.Size = 7, 48 }},
		{"-P tcp 10.2.2.2 60", func(*option.Options) {}},
		{"-P 253 10.2.2.2", func(o *option.Options) { o.Port = 0 }},
		{"-P gre 10.2.2.2", func(o *option.Options) { o.Port = 0 }},
	} {
		want := option.Options{
			Host: "10.2.2.2", Addr: addr("10.2.2.2"), First: 1, Last: 30, Queries: 3,
			Wait: 5 * time.Second, Port: 33434, Size: 40,
		}
		c.change(&want)
		o, _, err := parse(strings.Fields(c.words)...)
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
			continue
		}
		if diff := cmp.Diff(want, *o, cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreFields(option.Options{}, "Protocol")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.words, diff)
		}
	}
}

func TestProtocols(t *testing.T) {
	for word, want := range map[string]option.Protocol{
		"udp": {Kind: option.UDP, Number: 17}, "tcp": {Kind: option.TCP, Number: 6}, "6": {Kind: option.TCP, Number: 6},
		"icmp": {Kind: option.ICMP, Number: 1}, "GRE": {Kind: option.GRE, Number: 47}, "sctp": {Kind: option.SCTP, Number: 132},
		"udplite": {Kind: option.UDPLite, Number: 136}, "0xfd": {Kind: option.Generic, Number: 253},
	} {
		o, _, err := parse("-P", word, "10.2.2.2")
		if err != nil || o.Protocol.Kind != want.Kind || o.Protocol.Number != want.Number {
			t.Errorf("-P %s: %+v, %v; want %+v", word, o, err, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	o, warnings, err := parse("-x", "dst")
	want := "traceroute: Warning: ip checksums disabled\ntraceroute: Warning: dst has multiple addresses; using 10.2.2.2\n"
	if err != nil || warnings != want || o.Host != "dst.example.net" {
		t.Errorf("host %q, warnings %q, error %v; want dst.example.net and %q", o.Host, warnings, err, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"10.2.2.2", "-nvvx -q 1 dst 40", "-g 10.1.1.1 -P gre 10.2.2.2", "-m 0x -f -1 a b", "-- -x", "-A", "-z0xffffffffffffffffff 10.2.2.2",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		o, _, err := parse(strings.Split(line, " ")...)
		if err != nil {
			if o != nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %+v, error %q", line, o, err)
			}
			return
		}
		switch {
		case o.First < 1 || o.First > o.Last || o.Last > 255 || o.Queries < 1:
			t.Errorf("%q: TTLs %d to %d, %d queries", line, o.First, o.Last, o.Queries)
		case o.Size < 20 || o.Size > 32768 || len(o.Gateways) > option.MaxGateways:
			t.Errorf("%q: size %d, %d gateways", line, o.Size, len(o.Gateways))
		case o.Wait < time.Second || o.Pause < 0 || !o.Addr.Is4() || o.Host == "" || o.Protocol.Number == 0:
			t.Errorf("%q: %s", line, fmt.Sprintf("%+v", *o))
		}
	})
}
