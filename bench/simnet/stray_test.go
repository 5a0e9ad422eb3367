package simnet

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/frame"
)

func TestNeighbours(t *testing.T) {
	const arp = "020000000001 0806 0001 0800 06 04 0001 020000000001 0a090901 000000000000 "
	const solicit = "020000000001 86dd 6000 0000 0020 3a ff"
	const s6, gw6, multi = "fd090009000000000000000000000001", "fd0900090000000000000000000000fe", "ff0200000000000000000001ff0000fe"
	for _, c := range []struct{ name, ask, want string }{
		{"ARP for the gateway", "ffffffffffff" + arp + "0a0909fe",
			"020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 0a0909fe 020000000001 0a090901"},
		{"ARP for a host of a script on the link", "ffffffffffff" + arp + "0a090907",
			"020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 0a090907 020000000001 0a090901"},
		{"ARP for another host", "ffffffffffff" + arp + "0a090942", ""},
		{"ARP for a hop behind the gateway", "ffffffffffff" + arp + "0a010101", ""},
		{"ARP for the asker's own address", "ffffffffffff" + arp + "0a090901", ""},
		{"ARP cut short", "ffffffffffff" + arp, ""},
		{"solicitation of the gateway", "3333ff0000fe" + solicit + s6 + multi + "8700000000000000" + gw6 + "0101020000000001",
			"020000000001 020000000002 86dd 60000000 0020 3a ff" + gw6 + s6 + "8800 9a6b e0000000" + gw6 + "0201 020000000002"},
		{"solicitation of another host", "3333ff000042" + solicit + s6 + multi + "8700000000000000" + "fd090009000000000000000000000042" + "0101020000000001", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask, err := hex.DecodeString(compact(c.ask))
			if err != nil {
				t.Fatal(err)
			}
			r := responder(t, "hop 1 te from 10.1.1.1\nhop 2 te from 10.9.9.7")
			frames, isProbe := r.Respond(0, ask, nil)
			got := ""
			for _, f := range frames {
				got += hex.EncodeToString(f.Data)
			}
			if isProbe || got != compact(c.want) {
				t.Errorf("probe %t, got  %s\nwant %s", isProbe, got, compact(c.want))
			}
		})
	}
}

// TestStray checks what gets no answer, or another than a probe does.
func TestStray(t *testing.T) {
	const path = "hop 1- te from 10.1.1.1\nhop 1- te from fd01::1"
	change := func(p frame.Probe, f func(b []byte)) []byte {
		b := build(t, p)
		f(b)
		return b
	}
	sent := func(protocol layers.IPProtocol, payload ...byte) []byte {
		return wrap(t, outer{from: source4, to: target4, ttl: 1}, protocol, gopacket.Payload(payload))
	}
	for _, c := range []struct {
		name    string
		frame   []byte
		isProbe bool
		want    string
	}{
		{"no frame", nil, false, ""},
		{"short frame", make([]byte, 13), false, ""},
		{"another EtherType", change(udp4(1), func(b []byte) { b[12] = 0x88 }), false, ""},
		{"longer than it is", change(udp4(1), func(b []byte) { b[17] = 61 }), false, ""},
		{"header length below 20", change(udp4(1), func(b []byte) { b[14] = 0x44 }), false, ""},
		{"version", change(udp4(1), func(b []byte) { b[14] = 0x65 }), false, ""},
		{"to a group", change(udp4(1), func(b []byte) { b[30] = 224 }), false, ""},
		{"later fragment", change(udp4(1), func(b []byte) { b[21] = 1 }), true, ""},
		{"first fragment", change(udp4(1), func(b []byte) { b[20] = 0x20 }), true, "11/0 10.1.1.1"},
		{"padded", append(build(t, udp4(1)), 0, 0, 0), true, "11/0 10.1.1.1"},
		{"ICMP error", sent(1, 11, 0, 0, 0, 0, 0, 0, 0), true, ""},
		{"unknown ICMP type", sent(1, 64, 0, 0, 0, 0, 0, 0, 0), true, ""},
		{"timestamp request", sent(1, 13, 0, 0, 0, 0, 0, 0, 0), true, "11/0 10.1.1.1"},
		{"no transport", sent(17), true, "11/0 10.1.1.1"},
		{"IPv6 longer than it is", change(udp6(1), func(b []byte) { b[19] = 41 }), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames, isProbe := responder(t, path).Respond(0, c.frame, nil)
			if got := say(frames); got != c.want || isProbe != c.isProbe {
				t.Errorf("got %q, probe %t; want %q, %t", got, isProbe, c.want, c.isProbe)
			}
		})
	}
}

// TestHeadersBetween checks that probes are followed through options and
// extension headers, and that these are quoted.
func TestHeadersBetween(t *testing.T) {
	udp := []byte{0x9c, 0x40, 0, 53, 0, 8, 0, 0}
	lsrr := []byte{1, 0x83, 11, 4, 10, 2, 2, 2, 10, 2, 2, 2}
	v4 := wrap(t, outer{from: source4, to: target4, ttl: 1}, 17, gopacket.Payload(append(lsrr, udp...)))
	v4[14] = 0x48 // the options are part of the header
	fixHeaderChecksum(v4[14:], &ipPacket{ip: v4[14:], transport: v4[14+32:]})
	routing := append([]byte{17, 0, 0, 0, 0, 0, 0, 0}, udp...)
	fragment := append([]byte{17, 0, 0, 1, 0, 0, 0, 9}, udp...)
	later := append([]byte{17, 0, 0, 8, 0, 0, 0, 9}, udp...)
	o := outer{from: source6, to: target6, ttl: 1}
	for name, c := range map[string]struct {
		frame []byte
		want  string
	}{
		"IPv4 source route":   {v4, "3/13 10.1.1.1"},
		"IPv6 routing header": {wrap(t, o, protoRouting, gopacket.Payload(routing)), "1/1 fd01::1"},
		"IPv6 fragment":       {wrap(t, o, protoFragment, gopacket.Payload(fragment)), "1/1 fd01::1"},
		"IPv6 later fragment": {wrap(t, o, protoFragment, gopacket.Payload(later)), ""},
		"IPv6 cut header":     {wrap(t, o, protoRouting, gopacket.Payload{17, 9, 0, 0}), ""},
	} {
		copy(c.frame, simMAC[:])
		copy(c.frame[6:], proberMAC[:])
		r := responder(t, "hop 1 udp 53 unreach 13 from 10.1.1.1\nhop 1 udp 53 unreach 1 from fd01::1")
		frames := respond(r, c.frame)
		if got := say(frames); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
			continue
		}
		if len(frames) > 0 {
			quote := frames[0].Data[len(frames[0].Data)-len(c.frame)+ethernetLen:]
			if diff := cmp.Diff(c.frame[ethernetLen:], quote); diff != "" {
				t.Errorf("%s: quote (-want +got):\n%s", name, diff)
			}
		}
	}
}

func FuzzRespond(f *testing.F) {
	for _, p := range []frame.Probe{udp4(1), udp6(2), icmp4(3), icmp6(4), tcp4(5, frame.FlagSYN)} {
		f.Add(build(f, p))
	}
	script := must(f, ends+"hop 1 te from 10.1.1.1 mpls 1/2/0/3,4/5/1/6 edit byte30=+9 edit ihl=15 edit checksum=swap\n"+
		"hop 1 te from fd01::1 pad128 edit label=-1\nhop 2 te from fd01::1 quote 70 object 2/6 edit sport=swap\n"+
		"hop 3 te from 10.1.1.1 translate fd00::1 fd00::2 inside gre fd00::1 fd00::2 inside mpls 1/0/1/1 inside error 10.1.1.1 10.1.1.2, "+
		"te edit checksum=partial inside ip 10.1.1.1 10.1.1.2 quote 70\n"+
		"hop 3 te from fd01::1 translate 10.1.1.1 10.1.1.2 inside error fd00::1 fd00::2 edit checksum=partial\n"+
		"hop 4- arrive, echo, answer, synack, cycle\nmtu 3 100 from 10.1.1.1\ndest answer\ndest icmp echo badsum, answer, cycle")
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewResponder(script, simMAC)
		for range 4 {
			for _, out := range respond(r, b) {
				if len(out.Data) < ethernetLen || [6]byte(out.Data[6:]) != simMAC {
					t.Fatalf("answer % x has no link header of ours", out.Data)
				}
				if et := binary.BigEndian.Uint16(out.Data[12:]); et != etherTypeARP {
					if _, ok := parsePacket(out.Data[ethernetLen:], et == etherTypeIPv6); !ok {
						t.Fatalf("answer % x is no whole packet", out.Data)
					}
				}
			}
		}
	})
}
