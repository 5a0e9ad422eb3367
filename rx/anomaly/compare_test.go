package anomaly

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

func probe(t testing.TB, m frame.Method) []byte {
	t.Helper()
	p := frame.Probe{Method: m, Src: netip.MustParseAddr("10.9.9.1"), Dst: netip.MustParseAddr("10.2.2.2"),
		Size: 60, TTL: 5, ID: 0x1234, SrcPort: 40001, DstPort: 33440, Seq: 7}
	if m == frame.TCP {
		p.Size, p.TCP = 0, frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true}
	}
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	return b[:tmpl.Put(b, &p)]
}

// quote is the probe as a router has it that drops it, with bytes changed.
func quote(sent []byte, at int, change ...byte) []byte {
	q := append([]byte(nil), sent...)
	q[8] = 1
	copy(q[at:], change)
	q[10], q[11] = 0, 0
	binary.BigEndian.PutUint16(q[10:], ^frame.Fold(frame.Sum(q[:20], 0)))
	return q
}

func TestCompare(t *testing.T) {
	udp, tcp := probe(t, frame.UDP), probe(t, frame.TCP)
	for _, tt := range []struct {
		name        string
		sent, quote []byte
		flags       Flag
		field       string // the first one
	}{
		{"same", udp, quote(udp, 0), 0, ""},
		{"padded", udp, append(quote(udp, 0), make([]byte, 68)...), 0, ""},
		{"ttl", udp, func() []byte { q := quote(udp, 0); q[8] = 3; return q }(), TTL | IPChecksum, "ttl:5>3"},
		{"dscp and ecn", udp, quote(udp, 1, 0x21), DSCP | ECN, "dscp:0>8"},
		{"id", udp, quote(udp, 4, 0x34, 0x12), IDSwapped, "id:4660>13330"},
		{"length", udp, quote(udp, 2, 0, 40), LengthShort, "length:60>40"},
		{"port", udp, quote(udp, 20, 1, 1), SourcePort | ChecksumStale, "src-port:40001>257"},
		{"mss", tcp, quote(tcp, 42, 5, 0), TCPMSS | ChecksumStale, "tcp-mss:1460>1280"},
		{"truncated", udp, quote(udp, 0)[:25], Truncated, ""},
		{"short", udp, quote(udp, 0)[:7], Truncated, ""},
		{"nothing", udp, nil, Truncated, ""},
		{"malformed", udp, quote(udp, 0, 0x41), Malformed, ""},
	} {
		r := Compare(tt.sent, tt.quote)
		first := ""
		if len(r.Fields) > 0 {
			first = r.Fields[0].Name + ":" + r.Fields[0].Sent.String() + ">" + r.Fields[0].Quoted.String()
		}
		if r.Flags != tt.flags || first != tt.field {
			t.Errorf("%s: %v %q, want %v %q", tt.name, r.Flags, first, tt.flags, tt.field)
		}
	}
}

// A checksum that was captured before transmit offload finished it is taken for
// the finished one; one that only looks so is not.
func TestPartialChecksum(t *testing.T) {
	done := probe(t, frame.UDP)
	sent := append([]byte(nil), done...)
	var h Header
	h.Parse(sent)
	binary.BigEndian.PutUint16(sent[26:], pseudo(&h))
	if r := Compare(sent, quote(done, 0)); r.Flags != 0 {
		t.Errorf("finished on the way: %v", r.Flags)
	}
	if r := Compare(sent, quote(sent, 0)); r.Flags != ChecksumPartial {
		t.Errorf("never finished: %v", r.Flags)
	}
	// A payload under which both are one number.
	for i := range 1 << 16 {
		binary.BigEndian.PutUint16(sent[30:], uint16(i))
		binary.BigEndian.PutUint16(sent[26:], pseudo(&h))
		h.Parse(sent)
		if sum, ok := finish(&h); ok && sum == pseudo(&h) {
			if r := Compare(sent, quote(sent, 0)); r.Flags != 0 {
				t.Errorf("finished, and looks partial: %v", r.Flags)
			}
			return
		}
	}
	t.Error("no such payload")
}

// The table has a row for each flag, in the order of the flags.
func TestKinds(t *testing.T) {
	if n := bits.TrailingZeros64(uint64(end)); n != len(kinds) {
		t.Fatalf("%d kinds, %d flags", len(kinds), n)
	}
	names := map[string]bool{}
	for i, k := range kinds {
		if k.Flag != 1<<i || k.Name == "" || k.Meaning == "" || names[k.Name] {
			t.Errorf("row %d: %+v", i, k)
		}
		names[k.Name] = true
		if f, ok := Find(k.Name); !ok || f.Flag != k.Flag || f.Flag.String() != k.Name {
			t.Errorf("%s is not found", k.Name)
		}
	}
}

// Comparing never panics; a packet does not differ from itself but for its TTL.
func FuzzCompare(f *testing.F) {
	f.Add(probe(f, frame.UDP), quote(probe(f, frame.UDP), 1, 9))
	f.Add(probe(f, frame.TCP), quote(probe(f, frame.TCP), 40, 1, 1, 1, 1))
	v6, _ := hex.DecodeString("6000000000081101fd090009000000000000000000000001fd0200020000000000000000000000020400010100080000")
	f.Add(v6, v6[:44])
	f.Fuzz(func(t *testing.T, sent, quoted []byte) {
		r := Compare(sent, quoted)
		for _, field := range r.Fields {
			if field.Flag&r.Flags == 0 || field.Sent.String()+field.Quoted.String() == "" {
				t.Errorf("field %+v of %v", field, r.Flags)
			}
		}
		const own = TTL | IPChecksum | Truncated | Malformed | Fragment | Encapsulated | ChecksumPartial
		if self := Compare(quoted, quoted); self.Flags&^own != 0 && self.Flags&Encapsulated == 0 {
			t.Errorf("% x differs from itself: %v", quoted, self.Flags)
		}
	})
}
