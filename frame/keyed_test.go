package frame

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// forEach runs a test for every one of the methods in both families.
func forEach(t *testing.T, methods []Method, f func(t *testing.T, m Method, v6 bool)) {
	for _, m := range methods {
		for _, v6 := range []bool{false, true} {
			t.Run(m.String()+"/"+familyName(v6), func(t *testing.T) { f(t, m, v6) })
		}
	}
}

func TestKeyedTemplateEqualsFreshSerialization(t *testing.T) {
	forEach(t, markMethods, func(t *testing.T, m Method, v6 bool) {
		for _, payload := range []Payload{PayloadPattern, PayloadZero, PayloadMark} {
			for _, fixed := range []bool{false, true} {
				p := fullProbe(m, v6, MinSize(m, v6))
				p.Fixed, p.Payload, p.Mark, p.Coverage = fixed, payload, 0xfffefdfc, 0
				if m == UDPLite {
					p.Coverage = 14
				}
				least := p.LeastSize()
				for _, size := range []int{least, least + 1, least + 3, 576, 1501} {
					for _, sum := range []uint16{0, 1, 0x8000, 0xfffe, 0xffff} {
						p.Size, p.Sum = size, sum
						if !p.Fixed {
							p.Sum = 0
						}
						if m == UDPLite && size < least+6 {
							p.Coverage = uint16(8 + p.keyedLen())
						}
						want, got := freshFrame(t, ethernet, &p), putFresh(t, ethernet, &p)
						if !bytes.Equal(want, got) {
							t.Errorf("%d bytes, payload %d, fixed %t, sum %#x (-fresh +template):\n%s",
								size, payload, fixed, sum, cmp.Diff(want, got))
						}
					}
				}
			}
		}
	})
}

// A Fixed probe without a Sum is the one that it is without Fixed.
func TestFixedWithoutSum(t *testing.T) {
	for _, m := range markMethods {
		for _, payload := range []Payload{PayloadPattern, PayloadZero, PayloadMark} {
			p := fullProbe(m, false, 0)
			p.Payload, p.Mark = payload, 0x01020304
			plain := putFresh(t, Link{}, &p)
			p.Fixed = true
			if diff := cmp.Diff(plain, putFresh(t, Link{}, &p)); diff != "" {
				t.Errorf("%s, payload %d (-plain +fixed):\n%s", m, payload, diff)
			}
		}
	}
}

// Every Sum comes out as it was asked for and verifies.
func TestEverySum(t *testing.T) {
	forEach(t, markMethods, func(t *testing.T, m Method, v6 bool) {
		p := keyedProbe(m, v6)
		tmpl, err := NewTemplate(Link{}, &p)
		must(t, err)
		b := make([]byte, tmpl.Len())
		for sum := 1; sum <= 0xffff; sum++ {
			p.Sum = uint16(sum)
			tmpl.Put(b, &p)
			transport := b[ipHeaderLen(v6):]
			got := binary.BigEndian.Uint16(transport[checksumAt[m]:])
			balance := binary.BigEndian.Uint16(transport[12:])
			if v := verified(t, b); got != p.Sum || v != ChecksumGood || balance == 0xffff {
				t.Fatalf("checksum %#04x for %#04x, balance %#04x, verdict %d: % x", got, sum, balance, v, b)
			}
		}
	})
}

func TestPutDestination(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		other := fullProbe(UDP, !v6, 0).Dst
		for _, m := range methods {
			p := fullProbe(m, v6, 0)
			tmpl, err := NewTemplate(ethernet, &p)
			must(t, err)
			buf := dirty(tmpl.Len())
			for _, a := range []struct {
				what string
				to   Probe
			}{{"of the other family", Probe{Dst: other}}, {"that is none", Probe{}}} {
				q := p
				q.Dst = a.to.Dst
				if n := tmpl.Put(buf, &q); n != 0 || !bytes.Equal(buf, dirty(len(buf))) {
					t.Errorf("%s %s: Put to an address %s = %d, % x; want 0 and nothing written", m, familyName(v6), a.what, n, buf)
				}
			}
			for range 300 {
				p.Dst = p.Dst.Next()
				tmpl.Put(buf, &p)
				if want := freshFrame(t, ethernet, &p); !bytes.Equal(want, buf) {
					t.Fatalf("%s to %s\ntemplate % x\nfresh    % x", m, p.Dst, buf, want)
				}
			}
		}
	}
	for _, r := range sampleRoutes(t) {
		p := routed(UDP, r)
		tmpl, err := NewTemplate(ethernet, &p)
		must(t, err)
		want, got := dirty(tmpl.Len()), dirty(tmpl.Len())
		tmpl.Put(want, &p)
		p.Dst = p.Dst.Next()
		tmpl.Put(got, &p)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("route of kind %d: another Dst changes the frame:\n%s", r.Kind(), diff)
		}
	}
}

// Probes of one shape share a template, and others do not.
func TestShape(t *testing.T) {
	p := keyedProbe(UDP, true)
	q := p
	q.Dst, q.TTL, q.ID, q.Label, q.SrcPort, q.DstPort, q.Seq, q.Mark, q.Sum = src6, 1, 2, 3, 4, 5, 6, 7, 8
	if p.Shape() != q.Shape() {
		t.Errorf("shapes differ: %+v and %+v", p.Shape(), q.Shape())
	}
	for name, change := range map[string]func(*Probe){
		"fixed":   func(p *Probe) { p.Fixed = false },
		"payload": func(p *Probe) { p.Payload = PayloadZero },
		"size":    func(p *Probe) { p.Size++ },
		"source":  func(p *Probe) { p.Src = dst6 },
	} {
		other := p
		change(&other)
		if p.Shape() == other.Shape() {
			t.Errorf("%s is not of the shape", name)
		}
	}
	r := routed(UDP, sampleRoutes(t)[0])
	s := r
	s.Dst = s.Dst.Next()
	if r.Shape() == s.Shape() {
		t.Error("the destination of a routed probe is not of the shape")
	}
}

func TestReadProbeKeyed(t *testing.T) {
	forEach(t, keyedMethods, func(t *testing.T, m Method, v6 bool) {
		for _, more := range []int{0, 1, 40} {
			p := keyedProbe(m, v6)
			if m != TCP {
				p.Size += more
			}
			check := func(what string, p Probe, want Probe) {
				t.Helper()
				got, err := ReadProbe(putFresh(t, ethernet, &p), LinkEthernet)
				if diff := cmp.Diff(want, got, cmpopts.EquateComparable(p.Src, p.Route)); diff != "" || err != nil {
					t.Errorf("%s, %d bytes: %v (-want +got):\n%s", what, p.Size, err, diff)
				}
			}
			check("keyed", p, p)
			if m == TCP {
				continue
			}
			q := p
			q.Payload, q.Mark = PayloadZero, 0
			check("zeros and Sum", q, q)
			q.Payload = PayloadPattern
			check("pattern and Sum", q, q)
			q.Sum = 0
			r := q
			r.Fixed = false
			check("Fixed without Sum", q, r)
			q = p
			q.Fixed, q.Sum, q.Payload, q.Mark = false, 0, PayloadMark, 0x0badcafe
			check("mark", q, q)
		}
	})
}

// A wrong checksum and a balance that no probe has are of no Sum.
func TestReadProbeNoSum(t *testing.T) {
	p := keyedProbe(UDP, false)
	wrong := putFresh(t, Link{}, &p)
	wrong[27]++
	p.Payload, p.Mark, p.Sum = PayloadZero, 0, 0
	ones := putFresh(t, Link{}, &p)
	ones[32], ones[33] = 0xff, 0xff
	if v := verified(t, ones); v != ChecksumGood {
		t.Errorf("checksum verdict %d with the other zero for a balance", v)
	}
	for name, f := range map[string][]byte{"wrong checksum": wrong, "balance of ones": ones} {
		if got, err := ReadProbe(f, LinkRaw); err != nil || got.Fixed || got.Sum != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
