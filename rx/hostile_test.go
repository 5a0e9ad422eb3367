package rx

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// forgery makes replies of one who knows all but what is random of the probes:
// addresses, ports, sizes and that there is a probe for each TTL.
type forgery struct {
	name string
	make func(r *rand.Rand, q []byte, header int, m frame.Method) []byte
}

// guess draws the bits of the quote that nobody can guess.
func guess(r *rand.Rand, q []byte, header int, m frame.Method) {
	if header == 20 {
		binary.BigEndian.PutUint16(q[4:], uint16(r.Uint32()))
	}
	if header == 40 {
		binary.BigEndian.PutUint16(q[2:], uint16(r.Uint32()))
	}
	b := q[header:]
	switch m {
	case frame.TCP:
		binary.BigEndian.PutUint32(b[4:], r.Uint32())
	case frame.ICMP:
		binary.BigEndian.PutUint16(b[2:], uint16(r.Uint32()))
		if binary.BigEndian.Uint16(b[6:]) > 30 { // a ledger's, no count
			binary.BigEndian.PutUint16(b[6:], uint16(r.Uint32()))
		}
	default:
		binary.BigEndian.PutUint16(b[6:], uint16(r.Uint32()))
	}
	if m != frame.TCP && len(b) >= 14 {
		binary.BigEndian.PutUint32(b[8:], r.Uint32())
		binary.BigEndian.PutUint16(b[12:], uint16(r.Uint32()))
	}
}

var forgeries = []forgery{
	{"all guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		return q
	}},
	{"all guessed, 8 bytes", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		return q[:header+8]
	}},
	{"identification zero, the rest guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		if header == 20 {
			q[4], q[5] = 0, 0
		}
		return q[:header+8]
	}},
	{"checksum zero, the rest guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		if m != frame.TCP {
			binary.BigEndian.PutUint16(q[header+sumAt(m):], 0)
		}
		return q
	}},
	{"bare header, identification guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		return q[:header]
	}},
	{"later fragment, identification guessed", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		if header == 20 {
			q[7] = 1
		}
		return q
	}},
	{"guessed inside an error", func(r *rand.Rand, q []byte, header int, m frame.Method) []byte {
		guess(r, q, header, m)
		e := frame.ErrorMessage{From: ipv4.router, To: ipv4.local, TTL: 1, Type: 11, Quote: q}
		if header == 40 {
			e.From, e.To, e.Type = ipv6.router, ipv6.local, 3
		}
		return e.Append(nil)
	}},
}

// A flood of look-alikes is refused to the last, and does nothing to the good
// replies that come along. What is guessed rightly by chance has odds of 8 in
// 2^15 for a whole row here: the seed is one that guesses nothing.
func TestFlood(t *testing.T) {
	const flood = 20_000
	for _, f := range []family{ipv4, ipv6} {
		for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP, frame.UDPLite} {
			for _, forge := range forgeries {
				for name := range scenes(t, f, m) {
					s := scenes(t, f, m)[name]
					r := rand.New(rand.NewPCG(5, 6))
					var got Match
					for range flood {
						reply := s.exceeded(t, mend(forge.make(r, s.quote(), s.header(), m)))
						s.match(&reply, &got)
						if got.Verdict.Attributed() {
							t.Fatalf("%s, %v %s in a %s: %v by %v: %v", forge.name, f.local, m, name, got.Verdict, got.Rule, got.Evidence)
						}
					}
					reply := s.exceeded(t, s.quote())
					if s.match(&reply, &got); got.Verdict != Exact || got.Tag != sceneTTL {
						t.Errorf("%s, %v %s in a %s: the good reply is %v (%v)", forge.name, f.local, m, name, got.Verdict, got.Reason)
					}
					if c := s.counts(); !c.Balanced() || c.Received != flood+1 || c.Matched != 1 {
						t.Errorf("%s, %v %s in a %s: counts %+v", forge.name, f.local, m, name, c)
					}
				}
			}
		}
	}
}

func (s *scene) counts() Counts {
	if s.table != nil {
		return s.table.Counts()
	}
	return s.book.Counts()
}

// Weak rules rest after a few guesses about a destination, and come back.
func TestGuard(t *testing.T) {
	var g guard
	a, b := ipv4.target, ipv4.other
	for n := range guesses {
		if !g.open(a, sent) {
			t.Fatalf("closed after %d guesses", n)
		}
		g.charge(a)
	}
	if g.open(a, sent) || !g.open(b, sent) {
		t.Errorf("after %d guesses open %t, for another destination %t", guesses, g.open(a, sent), g.open(b, sent))
	}
	if at := sent + guessPatience; !g.open(a, at) {
		t.Error("no guess came back")
	}
	g.charge(a)
	if g.open(a, sent+guessPatience) {
		t.Error("more than one guess came back")
	}
}

// What a router can put around a good quote must not hide it, nor end the run.
func TestHostileShapes(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		if m == frame.DCCP {
			return
		}
		for name := range scenes(t, f, m) {
			for what, c := range hostileShapes(f) {
				s := scenes(t, f, m)[name]
				b, want := c(s)
				var r frame.Reply
				frame.Decode(b, frame.LinkRaw, false, &r)
				var got Match
				if s.match(&r, &got); got.Verdict.Attributed() != want || want && got.Tag != sceneTTL {
					t.Errorf("%s in a %s: %v (%v) for tag %d, attributed should be %t", what, name, got.Verdict, got.Reason, got.Tag, want)
				}
			}
		}
	})
}

// hostileShapes gives messages, and whether the probe is to be seen in them.
func hostileShapes(f family) map[string]func(s *scene) ([]byte, bool) {
	message := func(q, ext []byte, rest uint32) []byte {
		e := frame.ErrorMessage{From: f.router, To: f.local, TTL: 60, Type: f.exceeded, Quote: q, Ext: ext, Rest: rest}
		return e.Append(nil)
	}
	all := map[string]func(s *scene) ([]byte, bool){
		"errors around errors": func(s *scene) ([]byte, bool) {
			return message(message(message(s.quote(), nil, 0), nil, 0), nil, 0), false
		},
		"a jumbo frame": func(s *scene) ([]byte, bool) {
			return message(append(s.quote(), make([]byte, 60000)...), nil, 0), true
		},
	}
	for _, n := range []uint16{0, 1, 3, 65535} {
		all[fmt.Sprintf("object of %d bytes", n)] = func(s *scene) ([]byte, bool) {
			q := append(s.quote(), make([]byte, 128)...)[:128]
			ext := []byte{0x20, 0, 0, 0, byte(n >> 8), byte(n), 1, 1, 0, 0, 0, 0}
			rest := uint32(128/4) << 16
			if f.local.Is6() {
				rest = 128 / 8 << 24
			}
			return message(q, ext, rest), true
		}
	}
	if f.local.Is4() {
		all["second fragment of a reply"] = func(s *scene) ([]byte, bool) {
			b := message(s.quote(), nil, 0)
			b[7] = 1 // overlaps the first by 8 bytes less than all
			return mend(b), false
		}
	}
	return all
}

// A reply cut anywhere, as on the wire or by the capture, is the probe's or
// nobody's; the same behind a VLAN tag.
func TestTruncatedEverywhere(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		if m == frame.DCCP {
			return
		}
		for name, s := range scenes(t, f, m) {
			e := frame.ErrorMessage{
				Link: frame.Link{Type: frame.LinkEthernet}, From: f.router, To: f.local, TTL: 60, Type: f.exceeded, Quote: s.quote(),
			}
			whole := e.Append(nil)
			tagged := append(append(append([]byte{}, whole[:12]...), 0x81, 0, 0, 7), whole[12:]...)
			var r frame.Reply
			var got Match
			for _, b := range [][]byte{whole, tagged} {
				for n := range b {
					frame.Decode(b[:n:n], frame.LinkEthernet, n%2 == 0, &r)
					if s.match(&r, &got); got.Verdict.Attributed() && got.Tag != sceneTTL {
						t.Errorf("%s: %d bytes are for tag %d", name, n, got.Tag)
					}
				}
			}
			if c := s.counts(); !c.Balanced() {
				t.Errorf("%s: counts %+v", name, c)
			}
		}
	})
}

// BenchmarkReject is what a packet that is refused costs behind its decoding.
func BenchmarkReject(b *testing.B) {
	t := &testing.T{}
	for _, forge := range forgeries {
		for name, s := range scenes(t, ipv4, frame.UDP) {
			b.Run(fmt.Sprintf("%s/%s", name, forge.name), func(b *testing.B) {
				r := rand.New(rand.NewPCG(5, 6))
				var replies [64]frame.Reply
				for i := range replies {
					replies[i] = s.exceeded(b, mend(forge.make(r, s.quote(), s.header(), frame.UDP)))
				}
				var got Match
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					s.match(&replies[i%len(replies)], &got)
					i++
				}
				if got.Verdict.Attributed() {
					b.Fatalf("%v", got.Verdict)
				}
			})
		}
	}
}
