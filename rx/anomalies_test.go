package rx

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// scene is one probe in flight among others, in a table or a ledger.
type scene struct {
	f     family
	m     frame.Method
	probe frame.Probe
	wire  []byte // the probe from its IP header on
	match func(r *frame.Reply, m *Match)
	table *Table  // nil in a ledger's
	book  *Ledger // nil in a table's
}

// The TTL and the tag of the probe; others have other TTLs.
const sceneTTL = 6

func concealed(f family, m frame.Method, ttl uint8, r *rand.Rand) frame.Probe {
	p := f.sampleProbe(m, int(ttl)-1)
	p.TTL, p.TOS, p.Coverage = ttl, 0x29, 60
	p.Conceal()
	p.Sum, p.Mark, p.ID, p.Seq = uint16(1+r.Uint32N(0xfffe)), r.Uint32(), uint16(r.Uint32()), r.Uint32()
	if m == frame.ICMP {
		p.Sum, p.Seq = 0x4711, uint32(ttl)
	}
	if m == frame.TCP {
		p.TCP = frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true, WScale: true, Shift: 2}
		p.Size = p.HeaderLen()
	}
	return p
}

// scenes are a probe of the method among nine others to its target, once in a
// table and once in a ledger.
func scenes(t *testing.T, f family, m frame.Method) map[string]*scene {
	r := rand.New(rand.NewPCG(uint64(m), 7))
	inTable := &scene{f: f, m: m, table: NewTable(10)}
	inTable.table.Whole = true
	inTable.match = func(r *frame.Reply, m *Match) { inTable.table.Match(r, sent+rtt, m) }
	for ttl := uint8(1); ttl <= 10; ttl++ {
		p := concealed(f, m, ttl, r)
		if ttl == sceneTTL {
			inTable.probe, inTable.wire = p, onWire(t, &p)
		}
		inTable.table.Add(int(ttl), &p, sent)
	}
	all := map[string]*scene{"table": inTable}
	if m == frame.DCCP {
		return all
	}
	l, err := NewLedger(LedgerConfig{Key: [8]byte{9, 8, 7}, Timeout: patience, Slots: 64, IPv6: f.local.Is6(), Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	inLedger := &scene{f: f, m: m, book: l, match: func(r *frame.Reply, m *Match) { l.Match(r, sent+rtt, m) }}
	for ttl := uint8(1); ttl <= 10; ttl++ {
		p := f.keyed(t, m, f.target, ttl)
		if p.TOS = 0x29; m == frame.TCP {
			p.TCP = frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true, WScale: true, Shift: 2}
		}
		wire := l.send(t, int(ttl), &p, sent)
		if ttl == sceneTTL {
			inLedger.probe, inLedger.wire = p, wire
		}
	}
	all["ledger"] = inLedger
	return all
}

// quote is the probe as the router that lets it expire has it.
func (s *scene) quote() []byte {
	b := append([]byte(nil), s.wire...)
	if s.f.local.Is4() {
		b[8] = 1
	} else {
		b[7] = 1
	}
	return mend(b)
}

// mend writes the right header checksum into an IPv4 packet.
func mend(b []byte) []byte {
	if n := int(b[0]&15) * 4; b[0]>>4 == 4 && n >= 20 && len(b) >= n {
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], ^frame.Fold(frame.Sum(b[:n], 0)))
	}
	return b
}

// header is the length of the probe's IP header.
func (s *scene) header() int {
	if s.f.local.Is4() {
		return 20
	}
	return 40
}

// exceeded is the reply that quotes b.
func (s *scene) exceeded(t testing.TB, b []byte) frame.Reply {
	return quoted(t, s.f.router, s.f.local, b, 1<<16)
}

// oddity is one anomaly: how the reply comes about, and what must become of it.
type oddity struct {
	name    string
	numbers string // of the anomalies that it is about
	edit    func(s *scene, q []byte) []byte
	verdict Verdict
	flags   anomaly.Flag // all of them, but for checksums that follow from the change
	v4, v6  bool
	methods []frame.Method // nil: all
}

var (
	withSum  = []frame.Method{frame.UDP, frame.UDPLite}
	withPort = []frame.Method{frame.UDP, frame.UDPLite, frame.TCP}
	onlyTCP  = []frame.Method{frame.TCP}
	onlyICMP = []frame.Method{frame.ICMP}
)

// follow is what an edit may bring with it.
const follow = anomaly.ChecksumStale | anomaly.ChecksumUpdated | anomaly.Checksum | anomaly.Payload

func put16(at int, v uint16) func(s *scene, q []byte) []byte {
	return func(s *scene, q []byte) []byte {
		binary.BigEndian.PutUint16(q[at:], v)
		return q
	}
}

// in edits the transport header.
func in(edit func(s *scene, b []byte)) func(s *scene, q []byte) []byte {
	return func(s *scene, q []byte) []byte {
		edit(s, q[s.header():])
		return q
	}
}

// as16 is an address in a packet's bytes.
func setAddr(q []byte, v4, v6 int, a netip.Addr) []byte {
	at := v4
	if a.Is6() {
		at = v6
	}
	copy(q[at:], a.AsSlice())
	return q
}

func sumAt(m frame.Method) int {
	switch m {
	case frame.ICMP:
		return 2
	case frame.TCP:
		return 16
	}
	return 6
}

var oddities = []oddity{
	{"nothing", "", func(s *scene, q []byte) []byte { return q }, Exact, 0, true, true, nil},
	{"8 bytes", "", func(s *scene, q []byte) []byte { return q[:28] }, Exact, 0, true, false, nil},
	{"TTL 0", "1", func(s *scene, q []byte) []byte { q[8] = 0; return q }, Exact, anomaly.TTL, true, false, nil},
	{"hop limit 3", "1", func(s *scene, q []byte) []byte { q[7] = 3; return q }, Exact, anomaly.TTL, false, true, nil},
	{"DSCP", "2", func(s *scene, q []byte) []byte { q[1] &= 3; return q }, Rewritten, anomaly.DSCP, true, false, nil},
	{"ECN", "2", func(s *scene, q []byte) []byte { q[1] &^= 3; return q }, Rewritten, anomaly.ECN, true, false, nil},
	{"traffic class", "2", func(s *scene, q []byte) []byte { q[0], q[1] = 0x60, q[1]&15; return q }, Rewritten,
		anomaly.DSCP | anomaly.ECN, false, true, nil},
	{"identification swapped", "3", func(s *scene, q []byte) []byte { q[4], q[5] = q[5], q[4]; return q }, Rewritten, anomaly.IDSwapped, true, false, nil},
	{"identification zero", "4", put16(4, 0), Rewritten, anomaly.IDZero, true, false, nil},
	{"identification one more", "4", func(s *scene, q []byte) []byte { return put16(4, s.probe.ID+1)(s, q) }, Rewritten, anomaly.IDPlusOne, true, false, nil},
	{"length swapped", "5", func(s *scene, q []byte) []byte { q[2], q[3] = q[3], q[2]; return q }, Rewritten, anomaly.LengthSwapped, true, false, nil},
	{"length without header", "5", func(s *scene, q []byte) []byte { return put16(2, uint16(len(s.wire)-20))(s, q) }, Rewritten, anomaly.LengthShort, true, false, nil},
	{"length", "5", func(s *scene, q []byte) []byte { return put16(2, uint16(len(s.wire)+4))(s, q) }, Rewritten, anomaly.Length, true, false, nil},
	{"payload length", "5", func(s *scene, q []byte) []byte { return put16(4, uint16(len(s.wire)+4))(s, q) }, Rewritten, anomaly.Length, false, true, nil},
	{"checksum zero", "7", in(func(s *scene, b []byte) { binary.BigEndian.PutUint16(b[sumAt(s.m):], 0) }), Rewritten, anomaly.ChecksumZero, true, true, withSum},
	{"checksum partial", "8", in(func(s *scene, b []byte) {
		n := len(b)
		proto := map[frame.Method]uint8{frame.UDP: 17, frame.UDPLite: 136}[s.m]
		binary.BigEndian.PutUint16(b[6:], frame.Fold(frame.PseudoSum(s.probe.Src, s.probe.Dst, proto, n)))
	}), Rewritten, anomaly.ChecksumPartial, true, true, withSum},
	{"source", "9, 7", func(s *scene, q []byte) []byte { return setAddr(q, 12, 8, s.f.other) }, Rewritten, anomaly.Source, true, true, nil},
	{"destination", "10", func(s *scene, q []byte) []byte { return setAddr(q, 16, 24, s.f.other) }, Rewritten, anomaly.Destination, true, true, nil},
	{"source port", "11", in(func(s *scene, b []byte) { b[0] ^= 0x15 }), Rewritten, anomaly.SourcePort, true, true, withPort},
	{"destination port", "11", in(func(s *scene, b []byte) { b[3] ^= 0x40 }), Rewritten, anomaly.DestinationPort, true, true, withPort},
	{"both ports", "11", in(func(s *scene, b []byte) { b[1] ^= 0x40; b[3] ^= 0x40 }), Rewritten, anomaly.SourcePort | anomaly.DestinationPort, true, true, withPort},
	{"identifier", "11", in(func(s *scene, b []byte) { b[5] ^= 0x40 }), Rewritten, anomaly.SourcePort, true, true, onlyICMP},
	{"TCP acknowledgment", "12", in(func(s *scene, b []byte) { b[9] = 7 }), Rewritten, anomaly.TCPAck, true, true, onlyTCP},
	{"TCP window", "13", in(func(s *scene, b []byte) { b[14]++ }), Rewritten, anomaly.TCPWindow, true, true, onlyTCP},
	{"TCP flags", "13", in(func(s *scene, b []byte) { b[13] |= frame.FlagECE }), Rewritten, anomaly.TCPFlags, true, true, onlyTCP},
	{"MSS clamped", "13", in(func(s *scene, b []byte) { binary.BigEndian.PutUint16(b[22:], 1400) }), Rewritten, anomaly.TCPMSS, true, true, onlyTCP},
	{"option overwritten", "13", in(func(s *scene, b []byte) { b[26], b[27] = 1, 1 }), Rewritten, anomaly.TCPOptions, true, true, onlyTCP},
	{"4 transport bytes", "14", func(s *scene, q []byte) []byte { return q[:24] }, Truncated, anomaly.Truncated, true, false, withPort},
	{"bare header", "14", func(s *scene, q []byte) []byte { return q[:20] }, Truncated, anomaly.Truncated, true, false, nil},
	{"half a header", "14", func(s *scene, q []byte) []byte { return q[:12] }, Stray, anomaly.Stray, true, true, nil},
	{"header length 4", "15", func(s *scene, q []byte) []byte { q[0] = 0x44; return q }, Malformed, anomaly.Malformed, true, false, nil},
	{"header length past the end", "15", func(s *scene, q []byte) []byte { q[0] = 0x4f; return q[:28] }, Malformed, anomaly.Malformed, true, false, nil},
	{"version 5", "15", func(s *scene, q []byte) []byte { q[0] = 0x55; return q }, Malformed, anomaly.Malformed, true, true, nil},
	{"IPv4 options added", "15", func(s *scene, q []byte) []byte {
		q = append(append(append([]byte{}, q[:20]...), 1, 1, 1, 1), q[20:]...)
		q[0] = 0x46
		return put16(2, uint16(len(q)))(s, q)
	}, Rewritten, anomaly.IPOptions | anomaly.Length, true, false, nil},
	{"IPv4 in IPv4", "16", func(s *scene, q []byte) []byte { return tunnel(s, 4, q) }, Encapsulated, anomaly.Encapsulated, true, false, nil},
	{"IPv6 in IPv6", "16", func(s *scene, q []byte) []byte { return tunnel(s, 41, q) }, Encapsulated, anomaly.Encapsulated, false, true, nil},
	{"6in4", "16", func(s *scene, q []byte) []byte {
		return append(mend([]byte{0x45, 0, 0, byte(20 + len(q)), 0, 1, 0, 0, 1, 41, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}), q...)
	}, Encapsulated, anomaly.Encapsulated, false, true, nil},
	{"GRE", "16", func(s *scene, q []byte) []byte {
		ether := []byte{0, 0, 0x08, 0}
		if s.f.local.Is6() {
			ether = []byte{0, 0, 0x86, 0xdd}
		}
		return tunnel(s, 47, append(ether, q...))
	}, Encapsulated, anomaly.Encapsulated, true, true, nil},
	{"MPLS", "16", func(s *scene, q []byte) []byte { return append([]byte{0x12, 0x34, 0x51, 0x40}, q...) }, Encapsulated, anomaly.Encapsulated, true, true, nil},
	{"error in an error", "16", func(s *scene, q []byte) []byte {
		m := frame.ErrorMessage{From: s.f.router, To: s.f.local, TTL: 1, Type: s.f.exceeded, Quote: q}
		return m.Append(nil)
	}, Encapsulated, anomaly.Encapsulated, true, true, nil},
	{"later fragment", "17", func(s *scene, q []byte) []byte {
		q[6], q[7] = q[6]&0x40, 3
		return q[:36]
	}, Fragment, anomaly.Fragment, true, false, nil},
	{"from the target", "22, 23", nil, Exact, anomaly.FromTarget, true, true, nil},
	{"flow label", "28", func(s *scene, q []byte) []byte { q[3]++; return q }, Rewritten, anomaly.Label, false, true, nil},
	{"extension header added", "28", func(s *scene, q []byte) []byte {
		ext := []byte{q[6], 0, 1, 4, 0, 0, 0, 0}
		q[6] = 60
		q = append(append(append([]byte{}, q[:40]...), ext...), q[40:]...)
		return put16(4, uint16(len(q)-40))(s, q)
	}, Rewritten, anomaly.ExtensionHeaders | anomaly.Length, false, true, nil},
	{"identification and check of another", "26, 27", in(func(s *scene, b []byte) { b[4] ^= 0xff }), Spoofed, anomaly.Spoofed, false, true, onlyTCP},
	{"identification and checksum guessed", "27", func(s *scene, q []byte) []byte {
		q[4] ^= 0x5a
		in(func(s *scene, b []byte) { b[6] ^= 0x5a })(s, q)
		return q
	}, Spoofed, anomaly.Spoofed, true, false, withSum},
	{"checksum and mark guessed", "27", in(func(s *scene, b []byte) { b[6] ^= 0x5a; b[8] ^= 0x5a }), Spoofed, anomaly.Spoofed, false, true, withSum},
	{"another program's", "26", func(s *scene, q []byte) []byte {
		in(func(s *scene, b []byte) { b[0] ^= 0x33; b[5] ^= 0x33; b[6] ^= 0x33 })(s, q)
		if s.f.local.Is4() {
			q[4] ^= 0x33
		}
		return q[:s.header()+8]
	}, Foreign, anomaly.Foreign, true, true, withPort},
}

// tunnel puts an IP header of the probe's family around b.
func tunnel(s *scene, protocol byte, b []byte) []byte {
	if s.f.local.Is4() {
		h := []byte{0x45, 0, 0, byte(20 + len(b)), 0, 1, 0, 0, 1, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
		return append(mend(h), b...)
	}
	h := make([]byte, 40)
	h[0], h[5], h[6], h[7] = 0x60, byte(len(b)), protocol, 1
	return append(setAddr(setAddr(h, 0, 8, s.f.router), 0, 24, s.f.other), b...)
}

func TestAnomalies(t *testing.T) {
	forEach(t, func(t *testing.T, f family, m frame.Method) {
		for _, o := range oddities {
			if f.local.Is4() && !o.v4 || f.local.Is6() && !o.v6 || !o.of(m) {
				continue
			}
			for name, s := range scenes(t, f, m) {
				t.Run(fmt.Sprintf("%s/%s", name, o.name), func(t *testing.T) { s.check(t, &o) })
			}
		}
	})
}

func (o *oddity) of(m frame.Method) bool {
	if m == frame.DCCP {
		return o.name == "nothing"
	}
	for _, one := range o.methods {
		if one == m {
			return true
		}
	}
	return o.methods == nil
}

func (s *scene) check(t *testing.T, o *oddity) {
	var r frame.Reply
	if o.edit == nil {
		r = quoted(t, s.f.target, s.f.local, s.quote(), 1<<16)
	} else {
		b := o.edit(s, s.quote())
		if o.verdict != Encapsulated && len(b) >= 20 {
			b = mend(b)
		}
		r = s.exceeded(t, b)
	}
	var m Match
	s.match(&r, &m)
	if m.Verdict != o.verdict || m.Flags&o.flags != o.flags || m.Flags&^(o.flags|follow|anomaly.Truncated) != 0 {
		t.Errorf("%v (%v) by %v: %v; want %v: %v", m.Verdict, m.Reason, m.Rule, m.Flags, o.verdict, o.flags)
	}
	if !o.verdict.Attributed() {
		if m.Tag != -1 || m.Rule != ruleNone {
			t.Errorf("refused for tag %d by %v", m.Tag, m.Rule)
		}
		return
	}
	if m.Tag != sceneTTL || m.Origin.TTL != sceneTTL || m.Nth != 1 {
		t.Errorf("for tag %d, TTL %d, reply %d", m.Tag, m.Origin.TTL, m.Nth)
	}
	var report anomaly.Report
	if o.flags&anomaly.Rewrites != 0 && !(m.Compare(&report) && report.Flags&o.flags == o.flags) {
		t.Errorf("compared: %v, fields %+v", report.Flags, report.Fields)
	}
	// The same once more is numbered, and late when its time is over.
	s.match(&r, &m)
	if m.Verdict != Duplicate || m.Nth != 2 || m.Tag != sceneTTL {
		t.Errorf("again: %v for tag %d, reply %d", m.Verdict, m.Tag, m.Nth)
	}
}
