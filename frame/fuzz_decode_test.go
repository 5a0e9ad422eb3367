package frame

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inside tells whether part is a slice of whole.
func inside(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	for i := range whole {
		if &whole[i] == &part[0] {
			return len(part) <= len(whole)-i
		}
	}
	return false
}

func FuzzDecode(f *testing.F) {
	for _, b := range framesOfAllKinds(f) {
		f.Add(b, true, false)
		f.Add(b[LinkEthernet.HeaderLen():], false, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, ethernet, offloaded bool) {
		link := LinkRaw
		if ethernet {
			link = LinkEthernet
		}
		b = b[:len(b):len(b)]
		r := decode(b, link, offloaded)
		checkReply(t, &r, b, link, offloaded)
	})
}

// checkReply holds r, decoded from b, against what every reply promises.
func checkReply(t *testing.T, r *Reply, b []byte, link LinkType, offloaded bool) {
	q := &r.Quote
	key, ok := r.Key()
	switch {
	case r.Kind > KindRaw:
		t.Errorf("Kind = %d", r.Kind)
	case r.Kind > KindMalformed && (!plainAddr(r.From) || !plainAddr(r.To) || r.From.BitLen() != r.To.BitLen()):
		t.Errorf("Kind %d from %s to %s", r.Kind, r.From, r.To)
	case r.Checksum > ChecksumBad || offloaded && r.Checksum != ChecksumUnknown:
		t.Errorf("Checksum = %d, offloaded %t", r.Checksum, offloaded)
	case !inside(r.Ext, b) || r.Ext != nil && len(r.Ext) < extensionHeaderLen:
		t.Errorf("Ext of %d bytes is not in the frame or too short", len(r.Ext))
	case !inside(r.Body, b) || !r.Kind.IsError() && r.Body != nil:
		t.Errorf("Kind %d with Body of %d bytes", r.Kind, len(r.Body))
	case !inside(r.ClassicExtensions(60), r.Body):
		t.Error("classic extensions are not in the body")
	case r.Ext != nil && !r.ExtCompliant && Valid(r.Ext) != nil:
		t.Errorf("extension found by place: %v", Valid(r.Ext))
	case r.Ext == nil && r.ExtCompliant:
		t.Error("ExtCompliant without Ext")
	case !r.Kind.IsError() && (*q != Quote{} || r.Ext != nil):
		t.Errorf("Kind %d with quote %+v and %d extension bytes", r.Kind, *q, len(r.Ext))
	case q.Bytes < 0 || q.Bytes+len(r.Ext) > max(0, len(b)-link.HeaderLen()):
		t.Errorf("%d quoted and %d extension bytes in a frame of %d", q.Bytes, len(r.Ext), len(b))
	case q.Transport < 0 || q.Transport > q.Bytes:
		t.Errorf("%d transport bytes of %d quoted", q.Transport, q.Bytes)
	case q.Transport != 0 && (q.Malformed || q.Fragment):
		t.Errorf("transport bytes in %+v", *q)
	case q.Src != (netip.Addr{}) && (!plainAddr(q.Src) || !plainAddr(q.Dst)):
		t.Errorf("quote from %s to %s", q.Src, q.Dst)
	case q.Method > DCCP || q.Label > maxLabel:
		t.Errorf("Method %d Label %#x", q.Method, q.Label)
	case ok && r.Kind.IsError() && (q.Method == 0 || q.Transport < 8):
		t.Errorf("Key %#x out of %+v", key, *q)
	case ok && !r.Kind.IsError() && !r.Kind.IsAnswer():
		t.Errorf("Key %#x of Kind %d", key, r.Kind)
	}
}

// plainAddr tells whether a came off the wire.
func plainAddr(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" }

func FuzzDecodeRoundTrip(f *testing.F) {
	f.Add(uint8(1), false, uint8(1), uint16(33333), uint16(33435), uint32(0), uint16(60), uint16(28), uint8(0), false)
	f.Add(uint8(2), true, uint8(64), uint16(4660), uint16(0), uint32(65535), uint16(1300), uint16(1280), uint8(2), true)
	f.Add(uint8(3), false, uint8(255), uint16(1), uint16(443), uint32(1<<31), uint16(0), uint16(128), uint8(4), true)
	f.Fuzz(func(t *testing.T, method uint8, v6 bool, ttl uint8, sport, dport uint16, seq uint32, size, quoted uint16, kind uint8, ext bool) {
		p := quotedProbe(Method(method%5)+UDP, v6)
		p.TTL, p.SrcPort, p.Seq = ttl, sport, seq
		switch p.Method {
		case UDP:
			p.DstPort, p.Seq = dport, 0
		case UDPLite:
			p.DstPort, p.Seq, p.Coverage = dport, 0, 8
		case ICMP:
			p.Seq &= 0xffff
		case TCP, DCCP:
			p.DstPort = dport
		}
		if p.Method.hasPayload() {
			p.Size = MinSize(p.Method, v6) + int(size%1400)
		}
		b := probePacket(t, p)
		n := MinSize(ICMP, v6) // the IP header and 8 bytes
		n += int(quoted) % (len(b) - n + 1)

		k := icmpKinds[int(kind)%len(icmpKinds)]
		if v6 && k.only4 {
			k = timeExceeded
		}
		e := errorOfKind(k, v6)
		want := Reply{
			Protocol: protocolOf(ICMP, v6),
			Kind:     k.kind, From: e.From, To: e.To, TTL: e.TTL, TOS: e.TOS, ID: e.ID,
			Checksum: ChecksumGood, Type: e.Type, Code: e.Code, MTU: k.mtu,
		}
		if ext && (k.extended && !v6 || k.ext6 && v6) {
			e.Ext = mplsExtension
			want.Ext, want.ExtCompliant = e.Ext, true
			if len(b) <= minOriginal {
				n = len(b)
				e.Quote = append(b[:n:n], make([]byte, minOriginal-n)...)
			} else {
				n = min(max(n, minOriginal), 255*4) &^ 7
				e.Quote = b[:n]
			}
			e.Rest |= lengthField(len(e.Quote), v6)
		} else {
			e.Quote = b[:n]
		}
		want.Quote = wantQuote(p, b, n)
		f := e.Append(nil)
		want.Size, want.Body = len(f), f[len(f)-len(e.Quote)-len(e.Ext):]
		got := decode(f, LinkRaw, false)
		if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
			t.Fatalf("reply (-want +got):\n%s", diff)
		}
		if key, ok := got.Key(); !ok || key != p.Key() {
			t.Fatalf("Key = %#x, %t, want %#x", key, ok, p.Key())
		}
	})
}

func FuzzExtensions(f *testing.F) {
	f.Add(mplsExtension)
	f.Add(withChecksum(mplsExtension))
	f.Add([]byte{0x20, 0, 0, 0, 0, 0, 1, 1})
	f.Add([]byte{0x20, 0, 0, 0, 0, 3, 1, 1, 0})
	f.Add([]byte{0x20, 0, 0, 0, 0xff, 0xff, 1, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, ext []byte) {
		ext = ext[:len(ext):len(ext)]
		total := extensionHeaderLen
		for _, o := range objectsOf(ext) {
			if !inside(o.Data, ext) || len(o.Data)%4 != 0 {
				t.Fatalf("object %+v of % x", o, ext)
			}
			total += objectHeaderLen + len(o.Data)
			if n := len(labelsOf(o.Data)); n != len(o.Data)/4 {
				t.Fatalf("%d labels in %d bytes", n, len(o.Data))
			}
		}
		if err := Valid(ext); err == nil && total != len(ext) {
			t.Fatalf("objects fill %d of %d bytes of a valid structure", total, len(ext))
		}
	})
}
