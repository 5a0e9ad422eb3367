package rx

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// The ports or identifiers that the survey tests probe with.
const firstPort, lastPort = 0xbe00, 0xbeff

func surveyVM(t testing.TB, code []bpf.RawInstruction, err error) *bpf.VM {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	list, all := bpf.Disassemble(code)
	if !all {
		t.Fatalf("the program has unknown instructions: %v", code)
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// surveyCase is a frame and whether the filter and the exact one keep it.
type surveyCase struct {
	name        string
	frame       []byte
	want, exact bool
}

// portProbe is a probe as a quote brings it back.
func portProbe(t testing.TB, f family, m frame.Method, port uint16) []byte {
	t.Helper()
	p := frame.Probe{Method: m, Src: f.local, Dst: f.target, TTL: 1, SrcPort: port, DstPort: 33434, Seq: 1, TCP: frame.TCPHeader{Flags: frame.FlagSYN}}
	p.Size = p.HeaderLen()
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	tmpl.Put(b, &p)
	return b
}

func (f family) errorAbout(l frame.LinkType, typ uint8, to netip.Addr, quote []byte) []byte {
	m := frame.ErrorMessage{Link: link(l), From: f.router, To: to, TTL: 60, Type: typ, Quote: quote}
	return m.Append(nil)
}

func (f family) answerTo(l frame.LinkType, m frame.Method, to netip.Addr, port uint16) []byte {
	a := frame.Answer{
		Link: link(l), From: f.other, To: to, TTL: 60, Method: m, SrcPort: 33434, DstPort: port,
		Flags: frame.FlagRST, Type: frame.DCCPReset, Protocol: rawProtocol,
	}
	if m == frame.ICMP {
		a.SrcPort = port
	}
	return a.Append(nil)
}

func (f family) surveyCases(t *testing.T, l frame.LinkType, m frame.Method) []surveyCase {
	quote := portProbe(t, f, m, firstPort)
	exceeded := f.errorAbout(l, f.exceeded, f.local, quote)
	answer := f.answerTo(l, m, f.local, lastPort)
	foreign := frame.Method(m%5 + 1)
	at := l.HeaderLen()
	cases := []surveyCase{
		{"time exceeded", exceeded, true, true},
		{"unreachable", f.errorAbout(l, f.unreachable, f.local, quote), true, true},
		{"parameter problem", f.errorAbout(l, f.problem, f.local, quote), true, true},
		{"last port", f.errorAbout(l, f.exceeded, f.local, portProbe(t, f, m, lastPort)), true, true},
		{"port below", f.errorAbout(l, f.exceeded, f.local, portProbe(t, f, m, firstPort-1)), false, false},
		{"port above", f.errorAbout(l, f.exceeded, f.local, portProbe(t, f, m, lastPort+1)), false, false},
		{"error about another protocol", f.errorAbout(l, f.exceeded, f.local, portProbe(t, f, foreign, firstPort)), false, false},
		{"error to somebody else", f.errorAbout(l, f.exceeded, f.other, quote), false, false},
		{"error without a quote", f.errorAbout(l, f.exceeded, f.local, nil), false, false},
		{"other ICMP message", f.errorAbout(l, 42, f.local, quote), false, false},
		{"answer", answer, true, true},
		{"answer to the first port", f.answerTo(l, m, f.local, firstPort), true, true},
		{"answer to a port below", f.answerTo(l, m, f.local, firstPort-1), false, false},
		{"answer to a port above", f.answerTo(l, m, f.local, lastPort+1), false, false},
		{"answer to somebody else", f.answerTo(l, m, f.other, firstPort), false, false},
		{"answer of another protocol", f.answerTo(l, foreign, f.local, firstPort), false, false},
		{"wrong version", patch(exceeded, at, 0x50|exceeded[at]&0xf), false, false},
		{"empty", nil, false, false},
	}
	if l == frame.LinkEthernet {
		cases = append(cases, surveyCase{"ARP", patch(exceeded, 13, 0x06), false, false})
	}
	if f.local.Is4() {
		return append(cases, surveyCases4(l, exceeded, answer, quote)...)
	}
	return append(cases, surveyCases6(l, exceeded, answer, quote)...)
}

func surveyCases4(l frame.LinkType, exceeded, answer, quote []byte) []surveyCase {
	at := l.HeaderLen()
	about := func(typ uint8, quote []byte) []byte { return ipv4.errorAbout(l, typ, ipv4.local, quote) }
	cases := []surveyCase{
		{"source quench", about(4, quote), false, false},
		{"first fragment", patch(exceeded, at+6, 0x20), true, true},
		{"later fragment", patch(exceeded, at+7, 1), false, false},
		{"quoted later fragment", about(11, patch(quote, 7, 1)), true, false},
		{"quoted first fragment", about(11, patch(quote, 6, 0x20)), true, true},
		{"options in both", withOptions(about(11, withOptions(quote, 0, 40)), at, 40), true, true},
		{"options of the answer", withOptions(answer, at, 8), true, true},
	}
	if quote[9] == protoICMP { // the identifier takes 4 bytes more
		return append(cases, surveyCase{"cut in the quoted identifier", exceeded[:at+20+8+20+5], true, false},
			surveyCase{"cut behind the quoted identifier", exceeded[:at+20+8+20+6], true, true},
			surveyCase{"quoted echo reply", about(11, patch(quote, 20, 0)), false, false})
	}
	return append(cases, surveyCase{"cut in the quoted port", exceeded[:at+20+8+20+1], true, false},
		surveyCase{"cut in the quoted header", exceeded[:at+20+8+9], false, false},
		surveyCase{"cut behind the quoted port", exceeded[:at+20+8+20+2], true, true})
}

func surveyCases6(l frame.LinkType, exceeded, answer, quote []byte) []surveyCase {
	at := l.HeaderLen()
	about := func(typ uint8, quote []byte) []byte { return ipv6.errorAbout(l, typ, ipv6.local, quote) }
	fragment := patch(patch(exceeded, at+6, protoFragment), at+40+2, 0)
	cases := []surveyCase{
		{"packet too big", about(2, quote), true, true},
		{"neighbour advertisement", about(136, quote), false, false},
		{"no next header", patch(exceeded, at+6, 59), false, false},
		{"first fragment", patch(fragment, at+40+3, 1), true, false},
		{"later fragment", patch(fragment, at+40+3, 8), false, false},
		{"quoted fragment", about(3, patch(quote, 6, protoFragment)), true, false},
		{"quoted no next header", about(3, patch(quote, 6, 59)), false, false},
	}
	for _, n := range []byte{protoHopByHop, protoRouting, protoAuth, protoDstOptions} {
		cases = append(cases,
			surveyCase{fmt.Sprintf("extension header %d", n), patch(answer, at+6, n), true, false},
			surveyCase{fmt.Sprintf("quoted extension header %d", n), about(3, patch(quote, 6, n)), true, false})
	}
	return cases
}

func TestSurveyFilter(t *testing.T) {
	for _, l := range []frame.LinkType{frame.LinkRaw, frame.LinkEthernet} {
		for m := frame.UDP; m <= frame.DCCP; m++ {
			both := SurveyFilter{Link: l, Local4: ipv4.local, Local6: ipv6.local, Method: m, SrcPorts: [2]uint16{firstPort, lastPort}}
			for _, f := range []family{ipv4, ipv6} {
				one := both
				if f.local.Is4() {
					one.Local6 = netip.Addr{}
				} else {
					one.Local4 = netip.Addr{}
				}
				spec := FilterSpec{Link: l, Local: f.local, Method: m, SrcPorts: both.SrcPorts}
				for name, p := range map[string]func() ([]bpf.RawInstruction, error){
					"both": both.Program, "both exact": both.Exact, "one": one.Program, "one exact": one.Exact, "spec": spec.Program,
				} {
					code, err := p()
					vm := surveyVM(t, code, err)
					for _, c := range f.surveyCases(t, l, m) {
						want := c.want
						if name == "both exact" || name == "one exact" {
							want = c.exact
						}
						got, err := vm.Run(c.frame)
						if err != nil || got != map[bool]int{true: snapLen}[want] {
							t.Errorf("%s of %v on link %d, %s, %s: keeps %d bytes, error %v; want kept %t of %x", name, f.local, l, m, c.name, got, err, want, c.frame)
						}
					}
				}
			}
		}
	}
}

// A filter for one family lets nothing of the other pass.
func TestSurveyFilterOtherFamily(t *testing.T) {
	ports := [2]uint16{firstPort, lastPort}
	for _, c := range []struct {
		filter SurveyFilter
		other  family
	}{
		{SurveyFilter{Local4: ipv4.local, Method: frame.UDP, SrcPorts: ports}, ipv6},
		{SurveyFilter{Local6: ipv6.local, Method: frame.UDP, SrcPorts: ports}, ipv4},
	} {
		code, err := c.filter.Program()
		vm := surveyVM(t, code, err)
		b := c.other.answerTo(frame.LinkRaw, frame.UDP, c.other.local, firstPort)
		if got, err := vm.Run(b); got != 0 || err != nil {
			t.Errorf("%+v keeps %d bytes of %x, error %v; want none", c.filter, got, b, err)
		}
	}
}

// The one identifier of a FilterSpec without a range, and AllICMP.
func TestSurveyFilterSpec(t *testing.T) {
	for _, f := range []family{ipv4, ipv6} {
		for _, all := range []bool{false, true} {
			vm := vm(t, FilterSpec{Local: f.local, Method: frame.ICMP, EchoID: testEchoID, AllICMP: all})
			for _, c := range []filterCase{
				{"echo reply", f.answerTo(frame.LinkRaw, frame.ICMP, f.local, testEchoID), true},
				{"other identifier", f.answerTo(frame.LinkRaw, frame.ICMP, f.local, testEchoID+1), all},
				{"other message", f.errorAbout(frame.LinkRaw, 42, f.local, nil), all},
				{"other message to somebody else", f.errorAbout(frame.LinkRaw, 42, f.other, nil), false},
			} {
				if got, err := vm.Run(c.frame); err != nil || (got > 0) != c.want {
					t.Errorf("%v, all %t, %s: %d bytes kept, error %v; want kept %t", f.local, all, c.name, got, err, c.want)
				}
			}
		}
		s := SurveyFilter{Method: frame.UDP, SrcPorts: [2]uint16{firstPort, lastPort}, AllICMP: true}
		if f.local.Is4() {
			s.Local4 = f.local
		} else {
			s.Local6 = f.local
		}
		code, err := s.Exact()
		vm := surveyVM(t, code, err)
		if got, err := vm.Run(f.errorAbout(frame.LinkRaw, 42, f.local, nil)); got != 0 || err != nil {
			t.Errorf("%v: the exact filter keeps any ICMP message, error %v", f.local, err)
		}
	}
}

func TestSurveyFilterErrors(t *testing.T) {
	ports := [2]uint16{firstPort, lastPort}
	for _, c := range []struct {
		filter SurveyFilter
		want   string
	}{
		{SurveyFilter{Method: frame.UDP, SrcPorts: ports}, "filter: no local address, need IPv4, IPv6 or both"},
		{SurveyFilter{Local4: ipv6.local, Method: frame.UDP, SrcPorts: ports}, "filter: local address 2001:db8::1, need an IPv4 address"},
		{SurveyFilter{Local6: ipv4.local, Method: frame.UDP, SrcPorts: ports}, "filter: local address 192.0.2.1, need an IPv6 address"},
		{SurveyFilter{Local4: ipv4.local, Method: frame.TCP, SrcPorts: [2]uint16{9, 8}}, "filter: source ports 9 to 8, need the lower first"},
		{SurveyFilter{Local4: ipv4.local, Method: frame.UDP}, "filter: source ports 0 to 0, need a range of the probes' own"},
		{SurveyFilter{Local4: ipv4.local, Method: frame.Raw, SrcPorts: ports}, "filter: method raw has no source ports, need one of udp (1) to dccp (5)"},
		{SurveyFilter{Local4: ipv4.local, SrcPorts: ports}, "filter: method 0, known are udp (1) to raw (6)"},
		{SurveyFilter{Local4: ipv4.local, Method: frame.UDP, SrcPorts: ports, Link: 9}, "filter: link type 9, known are raw IP (0) and Ethernet (1)"},
	} {
		if _, err := c.filter.Program(); err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v, want %s", c.filter, err, c.want)
		}
	}
}
