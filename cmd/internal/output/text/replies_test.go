package text

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// labels is a stack of two entries, objects a stack and an object of class 2.
var (
	oneLabel = []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0x00, 0x06, 0x45, 0x03}
	another  = []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0x00, 0x00, 0x81, 0x09}
	objects  = []byte{
		0x20, 0, 0, 0,
		0, 12, 1, 1, 0x00, 0x06, 0x44, 0x03, 0x00, 0x0c, 0x81, 0xff,
		0, 12, 2, 6, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd,
	}
)

func TestExtensionText(t *testing.T) {
	for _, c := range []struct {
		name string
		ext  []byte
		want string
	}{
		{"none", nil, ""},
		{"header only", oneLabel[:4], ""},
		{"one label", oneLabel, "MPLS:L=100,E=2,S=1,T=3"},
		{"two labels and another object", objects, "MPLS:L=100,E=2,S=0,T=3/L=200,E=0,S=1,T=255;2/6:01020304,aabbccdd"},
		{"the largest label", []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0xff, 0xff, 0xff, 0xff}, "MPLS:L=1048575,E=7,S=1,T=255"},
		{"no data", []byte{0x20, 0, 0, 0, 0, 4, 3, 0}, "3/0:"},
		{"no labels", []byte{0x20, 0, 0, 0, 0, 4, 1, 1}, "1/1:"},
		{"outgoing labels", []byte{0x20, 0, 0, 0, 0, 8, 1, 2, 0, 0, 0, 5}, "1/2:00000005"},
		{"class 255", []byte{0x20, 0, 0, 0, 0, 8, 255, 255, 0xff, 0xff, 0xff, 0xff}, "255/255:ffffffff"},
	} {
		if got := Extensions(c.ext); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func with(a hops.Answer, ext []byte) hops.Answer {
	a.Classic = ext
	return a
}

func TestExtensions(t *testing.T) {
	plain, one, two := te(r1), with(te(r1), oneLabel), with(te(r1), another)
	cfg := Config{Numeric: true, Extensions: true}
	for _, c := range []struct {
		name string
		cfg  Config
		hop  hop
		want string
	}{
		{"the same", cfg, at(1, one, lost, one), " 1  10.1.1.1 <MPLS:L=100,E=2,S=1,T=3>  X ms *  X ms"},
		{"not asked for", Config{Numeric: true}, at(1, one, two, plain), " 1  10.1.1.1  X ms  X ms  X ms"},
		{"they differ", cfg, at(1, one, two), " 1  10.1.1.1 <MPLS:L=100,E=2,S=1,T=3>  X ms 10.1.1.1 <MPLS:L=8,E=0,S=1,T=9>  X ms"},
		{"present and absent", cfg, at(1, plain, one, plain), " 1  10.1.1.1  X ms 10.1.1.1 <MPLS:L=100,E=2,S=1,T=3>  X ms 10.1.1.1  X ms"},
		{"names", Config{Extensions: true}, at(1, one, one), " 1  10.1.1.1 (10.1.1.1) <MPLS:L=100,E=2,S=1,T=3>  X ms  X ms"},
		{"with a note", cfg, at(2, with(un(r1, 1), one.Classic)), " 2  10.1.1.1 <MPLS:L=100,E=2,S=1,T=3>  X ms !H"},
		{"a TCP answer has none", cfg, at(2, with(seg(0x12), oneLabel)), " 2  10.2.2.2  X ms"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.cfg, []hop{c.hop}, c.want) })
	}
}

func TestBack(t *testing.T) {
	ttl := func(v uint8) hops.Answer { return withTTL(te(r1), v) }
	cfg := Config{Numeric: true, Back: true}
	for _, c := range []struct {
		name string
		cfg  Config
		hop  hop
		want string
	}{
		{"64", cfg, at(1, ttl(64)), " 1  10.1.1.1  X ms"},
		{"128", cfg, at(1, ttl(128)), " 1  10.1.1.1  X ms"},
		{"255", cfg, at(1, ttl(255)), " 1  10.1.1.1  X ms"},
		{"63", cfg, at(1, ttl(63)), " 1  10.1.1.1 '-2'  X ms"},
		{"254", cfg, at(1, ttl(254)), " 1  10.1.1.1 '-2'  X ms"},
		{"1", cfg, at(1, ttl(1)), " 1  10.1.1.1 '-64'  X ms"},
		{"65", cfg, at(1, ttl(65)), " 1  10.1.1.1 '-64'  X ms"},
		{"129", cfg, at(1, ttl(129)), " 1  10.1.1.1 '-127'  X ms"},
		{"200", cfg, at(1, ttl(200)), " 1  10.1.1.1 '-56'  X ms"},
		{"fewer hops back", cfg, at(3, ttl(64)), " 3  10.1.1.1 '-1'  X ms"},
		{"not known", cfg, at(1, ttl(0)), " 1  10.1.1.1  X ms"},
		{"not asked for", Config{Numeric: true}, at(1, ttl(63), ttl(60)), " 1  10.1.1.1  X ms  X ms"},
		{"another way back", cfg, at(1, ttl(64), ttl(63), ttl(64)), " 1  10.1.1.1  X ms 10.1.1.1 '-2'  X ms 10.1.1.1  X ms"},
		{"as far, from another start", cfg, at(1, ttl(64), ttl(128), lost, ttl(128)), " 1  10.1.1.1  X ms 10.1.1.1  X ms *  X ms"},
		{"a direct answer", Config{Numeric: true, Back: true, TCPInfo: true}, at(2, withTTL(seg(0x12), 60), withTTL(seg(0x12), 60)),
			" 2  10.2.2.2 <syn,ack> '-5'  X ms  X ms"},
		{"never left", cfg, at(1, tooBigHere(1500)), " 1  *  X ms !F-1500"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.cfg, []hop{c.hop}, c.want) })
	}
}

// table is a source of origins; an address that is not there is an error.
type table map[netip.Addr]asn.Result

var errServer = errors.New("whois.example.net/nicname: Name or service not known")

func (t table) Lookup(a netip.Addr) (asn.Result, error) {
	r, ok := t[a]
	if !ok {
		return r, errServer
	}
	return r, nil
}

var origins = table{
	r1:     {Origins: []string{"AS200", "AS300"}, Prefix: netip.MustParsePrefix("10.1.0.0/16")},
	r2:     {},
	target: {Failed: true},
}

func TestOrigins(t *testing.T) {
	path := []hop{at(1, te(r1), lost, te(r1)), at(2, te(r2), te(r1)), at(3, un(target, 3), un(target, 3))}
	check(t, Config{Numeric: true, Origins: origins}, path,
		" 1  10.1.1.1 [AS200/AS300]  X ms *  X ms\n 2  10.1.2.1 [*]  X ms 10.1.1.1 [AS200/AS300]  X ms\n 3  10.2.2.2 [!!]  X ms  X ms")
	check(t, Config{Names: hosts{}, Origins: origins}, path[:1],
		" 1  gw.example.net (10.1.1.1) [AS200/AS300]  X ms *  X ms")
}

// TestOrder has everything that a probe can print.
func TestOrder(t *testing.T) {
	a := withTTL(with(un(r1, 1), objects), 200)
	check(t, Config{Origins: origins, Extensions: true, Back: true, Names: hosts{}}, []hop{at(4, a)},
		" 4  gw.example.net (10.1.1.1) [AS200/AS300] <MPLS:L=100,E=2,S=0,T=3/L=200,E=0,S=1,T=255;2/6:01020304,aabbccdd> '-56'  X ms !H")
}

func TestOriginsError(t *testing.T) {
	var out strings.Builder
	w := New(&out, Config{Numeric: true, Origins: origins})
	probe := func(a hops.Answer) error {
		return w.Probe(hops.Settled{TTL: 1, Outcome: outcomeOf(a), Answer: a})
	}
	if err := probe(te(r1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := probe(te(r3)); err != errServer {
			t.Errorf("%v, want the source's error", err)
		}
	}
	if err := w.End(); err != errServer {
		t.Errorf("%v, want the source's error", err)
	}
	want := "\n 1  10.1.1.1 [AS200/AS300]  " + shownRTT + " 10.1.3.1"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func FuzzExtensionText(f *testing.F) {
	f.Add(objects)
	f.Add(oneLabel)
	f.Add([]byte{0x20, 0, 0, 0, 0, 7, 1, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, ext []byte) {
		got := Extensions(ext)
		if strings.Trim(got, "0123456789abcdef/:;,=MPLSET") != "" {
			t.Errorf("%q", got)
		}
		if frame.Valid(ext) == nil && got == "" {
			t.Errorf("nothing of % x", ext)
		}
	})
}
