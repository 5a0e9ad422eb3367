package frame

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// verified tells whether a receiver finds the checksum of the packet good.
func verified(t *testing.T, f []byte) Checksum {
	t.Helper()
	var r Reply
	Decode(f, LinkRaw, false, &r)
	return r.Checksum
}

func TestPayloadZero(t *testing.T) {
	for _, m := range []Method{UDP, ICMP, UDPLite, Raw} {
		for _, v6 := range []bool{false, true} {
			p := fullProbe(m, v6, 0)
			p.Payload = PayloadZero
			f := putFresh(t, Link{}, &p)
			data := f[p.HeaderLen():]
			if !allZero(data) || len(data) == 0 {
				t.Errorf("%s %s: payload % x", m, familyName(v6), data)
			}
			if c := verified(t, f); m == UDP && c != ChecksumGood {
				t.Errorf("%s %s: checksum %v", m, familyName(v6), c)
			}
			if m == Raw {
				continue
			}
			if got, err := ReadProbe(f, LinkRaw); err != nil || got != p {
				t.Errorf("%s %s: ReadProbe = %+v, %v; want %+v", m, familyName(v6), got, err, p)
			}
		}
	}
}

func TestNoChecksum(t *testing.T) {
	for _, m := range withHeader {
		p := fullProbe(m, false, 0)
		summed := putFresh(t, Link{}, &p)
		p.NoChecksum = true
		bare := putFresh(t, Link{}, &p)
		at := ipHeaderLen(false) + checksumAt[m]
		if m != UDP && m != TCP {
			if !bytes.Equal(summed, bare) {
				t.Errorf("%s: NoChecksum changes the frame", m)
			}
			continue
		}
		if binary.BigEndian.Uint16(summed[at:]) == 0 || binary.BigEndian.Uint16(bare[at:]) != 0 {
			t.Errorf("%s: checksums % x and, without, % x", m, summed[at:at+2], bare[at:at+2])
		}
		copy(bare[at:], summed[at:at+2])
		if !bytes.Equal(summed, bare) {
			t.Errorf("%s: NoChecksum changes more than the checksum", m)
		}
	}
	p := fullProbe(UDP, false, 0)
	p.NoChecksum = true
	if got, err := ReadProbe(putFresh(t, Link{}, &p), LinkRaw); err != nil || !got.NoChecksum {
		t.Errorf("ReadProbe = %+v, %v; want NoChecksum", got, err)
	}
}

func TestRawBody(t *testing.T) {
	p := fullProbe(Raw, false, 40)
	p.Body, p.Payload = "\x01\x02\x03", PayloadZero
	f := putFresh(t, ethernet, &p)
	want := append([]byte{1, 2, 3}, make([]byte, 17)...)
	if diff := cmp.Diff(want, f[14+20:]); diff != "" {
		t.Errorf("behind the IP header (-want +got):\n%s", diff)
	}
	back := p
	back.Body, back.Payload = string(want), PayloadPattern
	got, err := ReadProbe(f, LinkEthernet)
	if diff := cmp.Diff(back, got, cmpopts.EquateComparable(p.Src, p.Route)); diff != "" || err != nil {
		t.Errorf("ReadProbe: %v (-want +got):\n%s", err, diff)
	}
	p.Size = 22
	if _, err := NewTemplate(Link{}, &p); err == nil {
		t.Error("a probe shorter than its Body was built")
	}
}
