package attribute

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

var (
	us   = netip.MustParseAddr("10.9.9.1")
	hop  = netip.MustParseAddr("10.1.1.1")
	us6  = netip.MustParseAddr("fd09:9::1")
	hop6 = netip.MustParseAddr("fd01:1::1")
)

func build(t testing.TB, p frame.Probe) []byte {
	t.Helper()
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	return b[:tmpl.Put(b, &p)]
}

// random gives a probe of any method and family whose identity is drawn.
func random(r *rand.Rand) frame.Probe {
	p := frame.Probe{
		Method: []frame.Method{frame.UDP, frame.ICMP, frame.TCP}[r.IntN(3)],
		Src:    us, Dst: netip.AddrFrom4([4]byte{10, 2, byte(r.IntN(2)), byte(1 + r.IntN(3))}),
		TTL: uint8(1 + r.IntN(30)), ID: uint16(1 + r.IntN(65535)), SrcPort: uint16(1024 + r.IntN(60000)),
		DstPort: uint16(33434 + r.IntN(3)), Seq: r.Uint32(), Size: 64 + r.IntN(64),
	}
	if r.IntN(3) == 0 {
		a := p.Dst.As4()
		p.Src, p.Dst = us6, netip.AddrFrom16([16]byte{0xfd, 2, 12: a[0], 13: a[1], 14: a[2], 15: a[3]})
		p.Label, p.ID = uint32(1+r.IntN(1<<20-1)), 0
	}
	switch p.Method {
	case frame.TCP:
		p.Size, p.TCP = 0, frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460}
	case frame.ICMP:
		p.Seq &= 0xffff
	}
	return p
}

// expire quotes a packet as the router does that drops it.
func expire(ip []byte) []byte {
	q := append([]byte(nil), ip...)
	if q[0]>>4 == 6 {
		q[7] = 1
		return q
	}
	q[8], q[10], q[11] = 1, 0, 0
	binary.BigEndian.PutUint16(q[10:], ^frame.Fold(frame.Sum(q[:20], 0)))
	return q
}

func exceeded(p *frame.Probe, quote []byte) []byte {
	m := frame.ErrorMessage{From: hop, To: us, TTL: 60, Type: 11, Quote: quote}
	if p.IsIPv6() {
		m.From, m.To, m.Type = hop6, us6, 3
	}
	return m.Append(nil)
}

func small() Config {
	return Config{Packets: 1024, Bytes: 1 << 20, Keys: Keys(), Wait: time.Second, Age: 3 * time.Second}
}
