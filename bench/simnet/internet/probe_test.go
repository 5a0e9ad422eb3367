package internet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

var (
	testMAC   = [6]byte{2, 0, 0, 0, 0, 3} // of the Internet's end of the link
	proberMAC = [6]byte{2, 0, 0, 0, 0, 2}
)

var methods = []frame.Method{frame.UDP, frame.ICMP, frame.TCP}

// source is the prober's address in dst's family.
func source(c *Config, dst netip.Addr) netip.Addr {
	if dst.Is6() {
		return c.Source6.Addr()
	}
	return c.Source4.Addr()
}

// buildProbe makes the frame of a probe and gives the probe too.
func buildProbe(t testing.TB, c *Config, p frame.Probe) ([]byte, frame.Probe) {
	t.Helper()
	p.Src = source(c, p.Dst)
	if p.Method == frame.TCP {
		p.Size = 0
	}
	link := frame.Link{Type: frame.LinkEthernet, Src: proberMAC, Dst: testMAC}
	tmpl, err := frame.NewTemplate(link, &p)
	if err != nil {
		t.Fatal(err)
	}
	f := make([]byte, tmpl.Len())
	tmpl.Put(f, &p)
	return f, p
}

// randomProbe is a probe of any kind to anywhere.
func randomProbe(c *Config, r *rand.Rand) frame.Probe {
	all := append([]frame.Method{frame.UDPLite, frame.DCCP, frame.Raw}, methods...)
	p := frame.Probe{
		Method: all[r.IntN(len(all))], Dst: randomAddr(r, r.IntN(2) == 1),
		TTL: uint8(1 + r.IntN(30)), ID: uint16(r.Uint32()), Label: r.Uint32() & 0xfffff, TOS: uint8(r.Uint32()),
		SrcPort: uint16(r.Uint32()), DstPort: uint16(r.Uint32()), Seq: r.Uint32(), DF: r.IntN(2) == 1,
		Protocol: 99,
		TCP:      frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: uint16(r.IntN(2) * 1460), Ack: r.Uint32()},
	}
	switch r.IntN(8) {
	case 0:
		p.Dst = c.gateway(p.Dst.Is6())
	case 1:
		p.TTL = uint8(1 + r.IntN(255))
	case 2:
		p.TCP.Flags = uint8(r.Uint32())
	case 3:
		p.SrcPort, p.Seq, p.Payload = 0, 0, frame.PayloadZero
	}
	if len(c.Open) > 0 && r.IntN(4) == 0 {
		p.DstPort = c.Open[r.IntN(len(c.Open))]
	}
	if p.Method != frame.DCCP && p.Method != frame.TCP {
		low := p.HeaderLen()
		p.Size = low + r.IntN([]int{1, 60, 200, 1501 - low}[r.IntN(4)])
	}
	return p
}

// randomAddr is a host's address, often near others.
func randomAddr(r *rand.Rand, v6 bool) netip.Addr {
	x := r.Uint64() >> (8 * r.IntN(8))
	if v6 {
		var b [16]byte
		copy(b[:], []byte{0x20, 1, byte(x >> 24), byte(x >> 16), byte(x), 0, 0, byte(x >> 8)})
		b[15] = byte(x)
		return netip.AddrFrom16(b)
	}
	return netip.AddrFrom4([4]byte{byte(1 + x%100), byte(x >> 8), byte(x >> 16), byte(x >> 24)})
}

// testConfigs differ in all that a Config can say about answers.
func testConfigs() map[string]Config {
	return map[string]Config{
		"default":  {Seed: 1},
		"silent":   {Seed: 2, Silent: 30, SilentHosts: 40, MinHops: 3, MaxHops: 20, Shared: 4},
		"minimal":  {Seed: 3, Minimal: 100},
		"labeled":  {Seed: 4, Labeled: 100, MinHops: 2, MaxHops: 2},
		"full":     {Seed: 5, OnlyFull: true, Open: []uint16{80, 443}, MinHops: 1, MaxHops: 64},
		"diamonds": {Seed: 7, Diamonds: 60, MinHops: 6, MaxHops: 24, Silent: 10},
		"events":   {Seed: 8, Loops: 50, Unreachable: 40, MinHops: 1, MaxHops: 12, Shared: 2, Silent: 5},
		"limited":  {Seed: 9, Limited: 70, LimitEvery: 24 * time.Hour, LimitBurst: 3, MinHops: 6, MaxHops: 24},
		"twice":    {Seed: 10, Duplicates: 40, Late: 30, LateBy: time.Millisecond, Open: []uint16{80}},
		"all": {
			Seed: 11, MinHops: 6, MaxHops: 24, Silent: 10, SilentHosts: 20, Diamonds: 40, Loops: 20, Unreachable: 20,
			Limited: 50, LimitEvery: time.Hour, LimitBurst: 20, Duplicates: 10, Late: 10,
		},
		"guarded":  {Seed: 12, Guarded: 70, MinHops: 1, MaxHops: 5, Duplicates: 20, Late: 20, LateBy: time.Millisecond},
		"services": {Seed: 13, Services: 60, Guarded: 20, MinHops: 1, MaxHops: 5, Duplicates: 20, Late: 20, LateBy: time.Millisecond, Open: []uint16{80}},
		"all open": {Seed: 6, Open: []uint16{1, 2, 3, 4, 5, 6, 7, 8}, Routers4: netip.MustParsePrefix("172.16.0.0/12")},
	}
}

func describe(p *frame.Probe) string {
	return fmt.Sprintf("%s to %s TTL %d size %d", p.Method, p.Dst, p.TTL, p.Size)
}
