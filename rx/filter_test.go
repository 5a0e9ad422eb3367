package rx

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// family is the addresses and numbers of one IP version's filter tests.
type family struct {
	local, target, router, other netip.Addr

	unreachable, exceeded, problem uint8 // ICMP types
}

var (
	ipv4 = family{
		local: netip.MustParseAddr("192.0.2.1"), target: netip.MustParseAddr("198.51.100.9"),
		router: netip.MustParseAddr("203.0.113.7"), other: netip.MustParseAddr("192.0.2.2"),
		unreachable: 3, exceeded: 11, problem: 12,
	}
	ipv6 = family{
		local: netip.MustParseAddr("2001:db8::1"), target: netip.MustParseAddr("2001:db8:9::9"),
		router: netip.MustParseAddr("2001:db8:7::7"), other: netip.MustParseAddr("2001:db8::2"),
		unreachable: 1, exceeded: 3, problem: 4,
	}
)

const testEchoID = 0xbeef

type filterCase struct {
	name  string
	frame []byte
	want  bool
}

func link(t frame.LinkType) frame.Link {
	return frame.Link{Type: t, Src: [6]byte{2, 0, 0, 0, 0, 1}, Dst: [6]byte{2, 0, 0, 0, 0, 2}}
}

// probeFrame is a probe as we send it from src to dst.
func probeFrame(t *testing.T, l frame.LinkType, m frame.Method, src, dst netip.Addr) []byte {
	t.Helper()
	p := frame.Probe{
		Method: m, Src: src, Dst: dst, TTL: 1, SrcPort: testEchoID, DstPort: 33434, Seq: 1,
		Size: 60, TCP: frame.TCPHeader{Flags: frame.FlagSYN},
	}
	switch m {
	case frame.TCP, frame.DCCP:
		p.Size = 0
	case frame.Raw:
		p.Protocol = rawProtocol
	}
	tmpl, err := frame.NewTemplate(link(l), &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	tmpl.Put(b, &p)
	return b
}

func (f family) cases(t *testing.T, l frame.LinkType, m frame.Method) []filterCase {
	errorTo := func(to netip.Addr, typ uint8, quote []byte) []byte {
		msg := frame.ErrorMessage{Link: link(l), From: f.router, To: to, TTL: 60, Type: typ, Quote: quote}
		return msg.Append(nil)
	}
	answer := func(m frame.Method, from, to netip.Addr, id uint16) []byte {
		a := frame.Answer{Link: link(l), From: from, To: to, TTL: 60, Method: m, SrcPort: id, DstPort: 5, Flags: frame.FlagRST, Type: frame.DCCPReset, Protocol: rawProtocol}
		return a.Append(nil)
	}
	quote := probeFrame(t, frame.LinkRaw, m, f.local, f.target)
	foreign := frame.Method(m%6 + 1)
	foreignQuote := probeFrame(t, frame.LinkRaw, foreign, f.local, f.target)
	exceeded := errorTo(f.local, f.exceeded, quote)
	isICMP := m == frame.ICMP
	cases := []filterCase{
		{"time exceeded", exceeded, true},
		{"unreachable", errorTo(f.local, f.unreachable, quote), true},
		{"parameter problem", errorTo(f.local, f.problem, quote), true},
		{"error about another protocol", errorTo(f.local, f.exceeded, foreignQuote), false},
		{"error to somebody else", errorTo(f.other, f.exceeded, quote), false},
		{"error without a quote", errorTo(f.local, f.exceeded, nil), false},
		{"other ICMP message", errorTo(f.local, 42, quote), false},
		{"answer", answer(m, f.target, f.local, testEchoID), true},
		{"answer not from the target", answer(m, f.router, f.local, testEchoID), false},
		{"answer to somebody else", answer(m, f.target, f.other, testEchoID), false},
		{"answer of another protocol", answer(foreign, f.target, f.local, testEchoID), false},
		{"other echo identifier or port", answer(m, f.target, f.local, testEchoID+1), !isICMP},
		{"our own probe", probeFrame(t, l, m, f.local, f.target), false},
		{"probe to us from the target", probeFrame(t, l, m, f.target, f.local), !isICMP},
		{"empty", nil, false},
	}
	at := l.HeaderLen()
	cases = append(cases, filterCase{"wrong version", patch(exceeded, at, 0x50|exceeded[at]&0xf), false})
	if l == frame.LinkEthernet {
		cases = append(cases, filterCase{"ARP", patch(exceeded, 13, 0x06), false})
	}
	if f.local.Is4() {
		return append(cases, cases4(at, exceeded, answer(m, f.target, f.local, testEchoID), errorTo, quote)...)
	}
	return append(cases, cases6(at, exceeded, errorTo, quote)...)
}

func cases4(at int, exceeded, answer []byte, errorTo func(netip.Addr, uint8, []byte) []byte, quote []byte) []filterCase {
	return []filterCase{
		{"source quench", errorTo(ipv4.local, 4, quote), false},
		{"redirect", errorTo(ipv4.local, 5, quote), false},
		{"error with 4 bytes of options", withOptions(exceeded, at, 4), true},
		{"error with 40 bytes of options", withOptions(exceeded, at, 40), true},
		{"answer with options", withOptions(answer, at, 8), true},
		{"first fragment", patch(exceeded, at+6, 0x20), true},
		{"don't fragment", patch(exceeded, at+6, 0x40), true},
		{"later fragment", patch(exceeded, at+7, 1), false},
		{"last fragment far behind", patch(exceeded, at+6, 0x1f), false},
		{"quoted IPIP", errorTo(ipv4.local, 11, patch(quote, 9, 4)), true},
		{"quoted 6in4", errorTo(ipv4.local, 11, patch(quote, 9, 41)), true},
		{"quoted GRE", errorTo(ipv4.local, 11, patch(quote, 9, 47)), true},
		{"quoted OSPF", errorTo(ipv4.local, 11, patch(quote, 9, 89)), false},
		{"quoted labels", errorTo(ipv4.local, 11, append([]byte{1, 2, 1, 1}, quote...)), true},
		{"error with options and quoted labels", withOptions(errorTo(ipv4.local, 11, append([]byte{1, 2, 1, 1}, quote...)), at, 8), true},
		{"quoted IPv6", errorTo(ipv4.local, 11, quotedIn(ipv6, inIPv6(quote[9]))), true},
		{"quoted IPv6 OSPF", errorTo(ipv4.local, 11, quotedIn(ipv6, 89)), false},
		{"quoted error", errorTo(ipv4.local, 11, bare(errorTo(ipv4.local, 11, quote), at)), true},
		{"quoted error with options", errorTo(ipv4.local, 11, withOptions(bare(errorTo(ipv4.local, 3, quote), at), 0, 12)), true},
		{"quoted ICMPv6 error", errorTo(ipv4.local, 11, append(quotedIn(ipv6, 58), 3)), true},
		{"cut before the quoted protocol", exceeded[:at+20+8+9], false},
		{"cut behind the quoted protocol", exceeded[:at+20+8+10], true},
		{"cut in the IP header", exceeded[:at+19], false},
	}
}

func cases6(at int, exceeded []byte, errorTo func(netip.Addr, uint8, []byte) []byte, quote []byte) []filterCase {
	fragment := patch(patch(exceeded, at+6, protoFragment), at+40+2, 0)
	cases := []filterCase{
		{"packet too big", errorTo(ipv6.local, 2, quote), true},
		{"neighbour advertisement", errorTo(ipv6.local, 136, quote), false},
		{"no next header", patch(exceeded, at+6, 59), false},
		{"quoted no next header", errorTo(ipv6.local, 3, patch(quote, 6, 59)), false},
		{"first fragment", patch(fragment, at+40+3, 1), true},
		{"later fragment", patch(fragment, at+40+3, 8), false},
		{"cut before the quoted next header", exceeded[:at+40+8+6], false},
		{"cut behind the quoted next header", exceeded[:at+40+8+7], true},
		{"cut in the IP header", exceeded[:at+39], false},
		{"quoted 6in6", errorTo(ipv6.local, 3, patch(quote, 6, 41)), true},
		{"quoted IPv4 in IPv6", errorTo(ipv6.local, 3, patch(quote, 6, 4)), true},
		{"quoted GRE", errorTo(ipv6.local, 3, patch(quote, 6, 47)), true},
		{"quoted OSPF", errorTo(ipv6.local, 3, patch(quote, 6, 89)), false},
		{"quoted labels", errorTo(ipv6.local, 3, append([]byte{1, 2, 1, 1}, quote...)), true},
		{"quoted 6in4", errorTo(ipv6.local, 3, quotedIn(ipv4, 41)), true},
		{"quoted IPv4 OSPF", errorTo(ipv6.local, 3, quotedIn(ipv4, 89)), false},
		{"quoted error", errorTo(ipv6.local, 3, bare(errorTo(ipv6.local, 3, quote), at)), true},
		{"quoted ICMP error", errorTo(ipv6.local, 3, append(quotedIn(ipv4, 1), 11)), true},
	}
	for _, next := range []byte{protoHopByHop, protoRouting, protoAuth, protoDstOptions} {
		cases = append(cases,
			filterCase{fmt.Sprintf("extension header %d", next), patch(exceeded, at+6, next), true},
			filterCase{fmt.Sprintf("quoted extension header %d", next), errorTo(ipv6.local, 3, patch(quote, 6, next)), true})
	}
	return append(cases, filterCase{"quoted fragment", errorTo(ipv6.local, 3, patch(quote, 6, protoFragment)), true})
}

// quotedIn is an IP header of the family around a protocol.
func quotedIn(f family, protocol byte) []byte {
	if f.local.Is4() {
		return patch(append([]byte{0x45}, make([]byte, 19)...), 9, protocol)
	}
	return patch(append([]byte{0x60}, make([]byte, 39)...), 6, protocol)
}

// inIPv6 is the number in IPv6 of a protocol of IPv4.
func inIPv6(protocol byte) byte {
	if protocol == protoICMP {
		return protoICMPv6
	}
	return protocol
}

// bare is a copy of a frame from its IP header on.
func bare(f []byte, at int) []byte { return slices.Clone(f[at:]) }

// patch gives a copy of b with one byte changed.
func patch(b []byte, at int, v byte) []byte {
	b = slices.Clone(b)
	b[at] = v
	return b
}

// withOptions gives a copy of an IPv4 frame with n bytes of NOP options.
func withOptions(b []byte, at, n int) []byte {
	b = slices.Insert(slices.Clone(b), at+20, slices.Repeat([]byte{1}, n)...)
	b[at] += byte(n / 4)
	binary.BigEndian.PutUint16(b[at+2:], binary.BigEndian.Uint16(b[at+2:])+uint16(n))
	return b
}

func vm(t *testing.T, s FilterSpec) *bpf.VM {
	t.Helper()
	raw, err := s.Program()
	if err != nil {
		t.Fatal(err)
	}
	code, all := bpf.Disassemble(raw)
	if !all {
		t.Fatalf("the program has unknown instructions: %v", raw)
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestFilter(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		for _, l := range []frame.LinkType{frame.LinkRaw, frame.LinkEthernet} {
			for m := frame.UDP; m <= frame.Raw; m++ {
				s := FilterSpec{Link: l, Local: f.local, Target: f.target, Method: m, EchoID: testEchoID}
				if m == frame.Raw {
					s.Protocol = rawProtocol
				}
				vm := vm(t, s)
				for _, c := range f.cases(t, l, m) {
					t.Run(fmt.Sprintf("%v/link %d/%s/%s", f.local, l, m, c.name), func(t *testing.T) {
						got, err := vm.Run(c.frame)
						if err != nil {
							t.Fatal(err)
						}
						if want := map[bool]int{true: snapLen}[c.want]; got != want {
							t.Errorf("filter keeps %d bytes, want %d, of %x", got, want, c.frame)
						}
					})
				}
			}
		}
	}
}

// Raw probes in ICMP are answered by any ICMP message of the target, and by
// errors that quote them.
func TestFilterRawICMP(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		protocol, echo := uint8(protoICMP), frame.ICMP
		if f.local.Is6() {
			protocol = protoICMPv6
		}
		vm := vm(t, FilterSpec{Local: f.local, Target: f.target, Method: frame.Raw, Protocol: protocol})
		reply := func(from netip.Addr) []byte {
			a := frame.Answer{From: from, To: f.local, Method: echo, TTL: 60}
			return a.Append(nil)
		}
		exceeded := func(m frame.Method) []byte {
			e := frame.ErrorMessage{From: f.router, To: f.local, Type: f.exceeded, Quote: probeFrame(t, frame.LinkRaw, m, f.local, f.target)}
			return e.Append(nil)
		}
		for _, c := range []filterCase{
			{"echo reply of the target", reply(f.target), true},
			{"echo reply of a router", reply(f.router), false},
			{"error about ICMP", exceeded(echo), true},
			{"error about UDP", exceeded(frame.UDP), false},
		} {
			if got, err := vm.Run(c.frame); err != nil || (got > 0) != c.want {
				t.Errorf("%v %s: %d bytes kept, error %v; want kept %t", f.local, c.name, got, err, c.want)
			}
		}
	}
}

// On the loopback our own probes come in too; a probe to a UDP or TCP port
// looks like an answer, and the table must tell.
func TestFilterLoopback(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	for m, want := range map[frame.Method]bool{frame.UDP: true, frame.ICMP: false, frame.TCP: true} {
		vm := vm(t, FilterSpec{Link: frame.LinkEthernet, Local: lo, Target: lo, Method: m, EchoID: testEchoID})
		got, err := vm.Run(probeFrame(t, frame.LinkEthernet, m, lo, lo))
		if err != nil || (got > 0) != want {
			t.Errorf("%s probe from %v to itself: %d bytes kept, error %v; want kept %t", m, lo, got, err, want)
		}
	}
}

func TestFilterAllICMP(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		vm := vm(t, FilterSpec{Local: f.local, Target: f.target, Method: frame.UDP, AllICMP: true})
		quote := probeFrame(t, frame.LinkRaw, frame.TCP, f.local, f.target)
		message := func(to netip.Addr, typ uint8) []byte {
			m := frame.ErrorMessage{From: f.router, To: to, TTL: 60, Type: typ, Quote: quote}
			return m.Append(nil)
		}
		for _, c := range []struct {
			name  string
			frame []byte
			want  bool
		}{
			{"error about another protocol", message(f.local, f.exceeded), true},
			{"any type", message(f.local, 42), true},
			{"to somebody else", message(f.other, f.exceeded), false},
			{"UDP not from the target", probeFrame(t, frame.LinkRaw, frame.UDP, f.router, f.local), false},
		} {
			if got, err := vm.Run(c.frame); err != nil || (got > 0) != c.want {
				t.Errorf("%v %s: %d bytes kept, error %v; want kept %t", f.local, c.name, got, err, c.want)
			}
		}
	}
}

func TestFilterSpecErrors(t *testing.T) {
	mapped := netip.MustParseAddr("::ffff:192.0.2.1")
	for _, c := range []struct {
		name string
		spec FilterSpec
		want string
	}{
		{"no local", FilterSpec{Target: ipv4.target, Method: frame.UDP}, "filter: local address invalid IP, need an IPv4 or IPv6 address"},
		{"mapped local", FilterSpec{Local: mapped, Target: ipv4.target, Method: frame.UDP}, "filter: local address ::ffff:192.0.2.1, need an IPv4 or IPv6 address"},
		{"no target", FilterSpec{Local: ipv4.local, Method: frame.UDP}, "filter: target invalid IP, need an address of the family of 192.0.2.1"},
		{"two families", FilterSpec{Local: ipv4.local, Target: ipv6.target, Method: frame.UDP}, "filter: target 2001:db8:9::9, need an address of the family of 192.0.2.1"},
		{"no method", FilterSpec{Local: ipv4.local, Target: ipv4.target}, "filter: method 0, known are udp (1) to raw (6)"},
		{"raw without protocol", FilterSpec{Local: ipv4.local, Target: ipv4.target, Method: frame.Raw}, "filter: raw protocol 0, want 1..255"},
		{"link type", FilterSpec{Link: 9, Local: ipv4.local, Target: ipv4.target, Method: frame.UDP}, "filter: link type 9, known are raw IP (0) and Ethernet (1)"},
	} {
		if _, err := c.spec.Program(); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, b := range [][]byte{nil, {0x45}, make([]byte, 60), slices.Repeat([]byte{0xff}, 100)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, fam := range []family{ipv4, ipv6} {
			vm := vm(t, FilterSpec{Local: fam.local, Target: fam.target, Method: frame.ICMP})
			n, err := vm.Run(b)
			if err != nil {
				t.Fatal(err)
			}
			var r frame.Reply
			frame.Decode(b, frame.LinkRaw, false, &r)
			if n > 0 && r.To != fam.local && r.Kind > frame.KindMalformed {
				t.Fatalf("kept a packet to %v: %x", r.To, b)
			}
		}
	})
}
