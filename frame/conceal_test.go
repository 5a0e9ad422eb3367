package frame

import (
	"net/netip"
	"testing"
)

// What Conceal makes room for fits the probe as it is, or is left out; and it is
// what IdentityFields calls a check.
func TestConceal(t *testing.T) {
	for _, c := range []struct {
		name        string
		change      func(p *Probe)
		fixed, mark bool
		v6          bool
	}{
		{"udp", func(p *Probe) {}, true, false, false},
		{"udp over IPv6", func(p *Probe) {}, true, true, true},
		{"udp of 34 bytes", func(p *Probe) { p.Size = 34 }, true, false, false},
		{"udp of 33 bytes", func(p *Probe) { p.Size = 33 }, false, false, false},
		{"udp of 28 bytes", func(p *Probe) { p.Size = 28 }, false, false, false},
		{"udp without checksum", func(p *Probe) { p.NoChecksum = true }, false, false, false},
		{"icmp", func(p *Probe) { p.Method = ICMP }, true, true, false},
		{"icmp over IPv6", func(p *Probe) { p.Method = ICMP }, true, true, true},
		{"udplite", func(p *Probe) { p.Method = UDPLite }, false, false, false},
		{"udplite, covered", func(p *Probe) { p.Method, p.Coverage = UDPLite, 14 }, true, false, false},
		{"tcp", func(p *Probe) { p.Method, p.Size = TCP, 0 }, false, false, false},
		{"dccp", func(p *Probe) { p.Method, p.Size = DCCP, 0 }, false, false, false},
		{"raw", func(p *Probe) { p.Method, p.Protocol = Raw, 253 }, false, false, false},
		{"zeros", func(p *Probe) { p.Payload = PayloadZero }, true, false, false},
	} {
		p := Probe{
			Method: UDP, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), Size: 80,
		}
		if c.v6 {
			p.Src, p.Dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
		}
		c.change(&p)
		before := p
		got := p.Conceal()
		if got != c.fixed || p.Fixed != c.fixed || (p.Payload == PayloadMark) != c.mark || p.Size != before.Size || p.Coverage != before.Coverage {
			t.Errorf("%s: %t, fixed %t, payload %d, size %d", c.name, got, p.Fixed, p.Payload, p.Size)
		}
		if !got && !p.SameShape(&before) {
			t.Errorf("%s: changed without room", c.name)
		}
		if _, err := NewTemplate(Link{}, &p); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		checks := 0
		for _, f := range IdentityFields() {
			if f.Method == p.Method && f.IPv6 == c.v6 && f.Role == RoleCheck {
				checks += f.Bits
			}
		}
		want := map[bool]int{false: 16}[c.v6] // the identification
		if c.fixed {
			want += 16
		}
		if c.mark {
			want += 32
		}
		if c.fixed && checks != want {
			t.Errorf("%s: %d bits of check listed, want %d", c.name, checks, want)
		}
	}
}
