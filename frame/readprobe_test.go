package frame

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadProbeRoundTrip(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, link := range []Link{{}, ethernet} {
			for _, m := range methods {
				for _, size := range []int{0, MinSize(m, v6), 65000} {
					p := fullProbe(m, v6, size)
					// The last bytes play the padding of a short Ethernet frame.
					f := append(putFresh(t, link, &p), 0, 0, 0)
					got, err := ReadProbe(f, link.Type)
					if err != nil {
						t.Errorf("%s %s %d bytes: %v", m, familyName(v6), p.Size, err)
					}
					if diff := cmp.Diff(p, got, cmpopts.EquateComparable(p.Src, p.Route)); diff != "" {
						t.Errorf("%s %s %d bytes (-sent +read):\n%s", m, familyName(v6), p.Size, diff)
					}
				}
			}
		}
	}
}

func TestReadProbeErrors(t *testing.T) {
	frameOf := func(m Method, v6 bool) []byte {
		p := fullProbe(m, v6, 0)
		return putFresh(t, Link{}, &p)
	}
	for _, tt := range []struct {
		name   string
		method Method
		v6     bool
		at     int
		bytes  []byte
		want   string
	}{
		{"version", UDP, false, 0, []byte{0x75}, "0x75"},
		{"options", UDP, false, 0, []byte{0x46}, "IPv4 options"},
		{"header length", UDP, false, 0, []byte{0x44}, "0x44"},
		{"more fragments", UDP, false, 6, []byte{0x20}, "no fragment"},
		{"offset", UDP, false, 7, []byte{1}, "no fragment"},
		{"long", UDP, false, 2, []byte{0, 61}, "IP length 61, want 20..60"},
		{"short", UDP, false, 2, []byte{0, 27}, "udp probe of 27 bytes, want at least 28"},
		{"extension header", UDP, true, 6, []byte{0}, "protocol 0"},
		{"mapped address", UDP, true, 8, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}, "IPv4-mapped"},
		{"UDP length", UDP, true, 44, []byte{0, 39}, "UDP length 39, want 40"},
		{"echo reply", ICMP, false, 20, []byte{0}, "type 0 code 0"},
		{"ICMPv6 type of IPv4", ICMP, true, 40, []byte{8}, "type 8 code 0"},
		{"echo code", ICMP, false, 21, []byte{1}, "type 8 code 1"},
		{"data offset low", TCP, false, 32, []byte{0x40}, "TCP header of 16 bytes in a segment of 40"},
		{"payload", TCP, false, 32, []byte{0x90}, "TCP header of 36 bytes"},
		{"data offset high", TCP, false, 32, []byte{0xb0}, "TCP header of 44 bytes"},
		{"MSS 0", TCP, false, 40, []byte{2, 4, 0, 0}, "TCP options"},
		{"unknown option", TCP, false, 40, []byte{99, 4}, "TCP options"},
		{"padding before timestamps", TCP, false, 44, []byte{0, 0}, "TCP options"},
		{"coverage 7", UDPLite, false, 24, []byte{0, 7}, "coverage 7, want 8..40"},
		{"coverage past the end", UDPLite, false, 24, []byte{0, 41}, "coverage 41, want 8..40"},
		{"DCCP Response", DCCP, false, 28, []byte{3}, "not laid out"},
		{"DCCP checksum coverage", DCCP, false, 25, []byte{1}, "not laid out"},
		{"DCCP long sequence", DCCP, true, 50, []byte{0, 1}, "not laid out"},
		{"DCCP options", DCCP, true, 44, []byte{6}, "data offset 6, want 20 and 5"},
		{"raw extension header", Raw, true, 6, []byte{60}, "protocol 60 is of no method"},
		{"shift 15", TCP, false, 59, []byte{15}, "TCP options"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := frameOf(tt.method, tt.v6)
			if _, err := ReadProbe(f, LinkRaw); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			copy(f[tt.at:], tt.bytes)
			got, err := ReadProbe(f, LinkRaw)
			if err == nil || !strings.Contains(err.Error(), tt.want) || got != (Probe{}) {
				t.Errorf("ReadProbe = %+v, %v; want no probe and an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestReadProbeTruncated(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			p := fullProbe(m, v6, 0)
			f := putFresh(t, ethernet, &p)
			for n := range f {
				if _, err := ReadProbe(f[:n:n], LinkEthernet); err == nil {
					t.Errorf("%s %s: no error for %d of %d bytes", m, familyName(v6), n, len(f))
				}
			}
		}
	}
}

func TestReadProbeAllocatesNothing(t *testing.T) {
	for _, m := range methods {
		p := fullProbe(m, true, 0)
		f := putFresh(t, ethernet, &p)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := ReadProbe(f, LinkEthernet); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("ReadProbe of %s allocates %v times", m, n)
		}
	}
}

// FuzzReadProbe wants that a frame that reads as a probe has the headers which
// that probe's template writes.
func FuzzReadProbe(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			p := fullProbe(m, v6, 0)
			f.Add(putFresh(f, Link{}, &p), false)
			f.Add(putFresh(f, ethernet, &p), true)
		}
	}
	for _, r := range sampleRoutes(f) {
		p := routed(UDP, r)
		f.Add(putFresh(f, Link{}, &p), false)
	}
	for _, m := range markMethods {
		p := keyedProbe(m, m == ICMP)
		f.Add(putFresh(f, Link{}, &p), false)
		p.Size += 3
		f.Add(putFresh(f, Link{}, &p), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, eth bool) {
		link := Link{}
		if eth {
			link = ethernet
		}
		p, err := ReadProbe(b, link.Type)
		if err != nil {
			return
		}
		built := putFresh(t, link, &p)
		back, err := ReadProbe(built, link.Type)
		if err != nil || back != p {
			t.Fatalf("read %+v, then %+v, %v", p, back, err)
		}
		// What a probe does not hold: MACs, header checksum, TCP reserved bits
		// and urgent pointer, transport checksum, payload.
		for _, f := range [][]byte{b, built} {
			if eth {
				clear(f[:12])
			}
			ip := f[link.Type.HeaderLen():]
			transport := ip[ipHeaderLen(p.IsIPv6())+p.Route.HeaderLen():]
			if !p.IsIPv6() {
				binary.BigEndian.PutUint16(ip[10:], 0)
			}
			switch p.Method {
			case UDP, UDPLite:
				clear(transport[6:])
			case DCCP:
				clear(transport[6:8])
			case ICMP:
				clear(transport[2:4])
				clear(transport[8:])
			case TCP:
				transport[12] &= 0xf0
				clear(transport[16:20])
			}
		}
		if !bytes.Equal(b[:len(built)], built) {
			t.Fatalf("probe %+v\nframe % x\nbuilt % x", p, b[:len(built)], built)
		}
	})
}
