package trace

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/frame"
)

// keeper keeps the frames that it sends.
type keeper struct{ frames [][]byte }

func (k *keeper) Send(frames [][]byte) (int, error) {
	k.frames = append(k.frames, frames...)
	return len(frames), nil
}

// TestTCPZeroSum gives segments the other zero, which must verify, and wants the
// amended probe to describe the frame that left.
func TestTCPZeroSum(t *testing.T) {
	v6 := [2]netip.Addr{netip.MustParseAddr("fd09:9::1"), netip.MustParseAddr("fd02:2::2")}
	for name, h := range map[string]frame.TCPHeader{
		"timestamps":         {Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true, Timestamps: true, TSVal: 0xfffffffe, WScale: true},
		"timestamps first":   {Flags: frame.FlagACK, Window: 5840, Timestamps: true, TSVal: 1, TSEcr: 2},
		"no timestamps":      {Flags: frame.FlagSYN, Window: 5840, MSS: 1460},
		"no options at all":  {Flags: frame.FlagFIN, Window: 0},
		"sack and no window": {SACK: true},
	} {
		for _, ends := range [][2]netip.Addr{{source, target}, v6} {
			for _, link := range []frame.LinkType{frame.LinkRaw, frame.LinkEthernet} {
				p := frame.Probe{Method: frame.TCP, Src: ends[0], Dst: ends[1], TTL: 3, SrcPort: 40001, DstPort: 80, Seq: 0x01020304, TCP: h}
				p.Size = p.HeaderLen()
				tmpl, err := frame.NewTemplate(frame.Link{Type: link}, &p)
				if err != nil {
					t.Fatal(err)
				}
				f := make([]byte, tmpl.Len())
				tmpl.Put(f, &p)
				out := &keeper{}
				z := &zeroSum{out, link.HeaderLen()}
				for range 2 { // the second time, as after back-pressure, changes nothing
					if n, err := z.Send([][]byte{f}); n != 1 || err != nil {
						t.Fatal(n, err)
					}
				}
				ip := f[link.HeaderLen():]
				segment := ip[len(ip)-int(tcpOf(ip)[tcpOffsetAt]>>4)*4:]
				if got := binary.BigEndian.Uint16(segment[tcpChecksumAt:]); got != 0xffff {
					t.Errorf("%s: checksum %#x", name, got)
				}
				if sum := frame.Fold(frame.Sum(segment, frame.PseudoSum(ends[0], ends[1], tcpProtocol, len(segment)))); sum != 0xffff {
					t.Errorf("%s: the sum is %#x", name, sum)
				}
				z.amend(f, &p)
				read, err := frame.ReadProbe(f, link)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(p, read, cmpopts.EquateComparable(netip.Addr{}, frame.Route{})); diff != "" {
					t.Errorf("%s: (-amended +sent):\n%s", name, diff)
				}
			}
		}
	}
}

// Other packets, and pieces of segments, stay as they are.
func TestTCPZeroSumLeavesOthers(t *testing.T) {
	for _, b := range [][]byte{
		nil, {0x45}, make([]byte, 60), append([]byte{0x45, 0, 0, 60, 0, 0, 0, 0, 3, 17}, make([]byte, 50)...),
		append([]byte{0x4f, 0, 0, 60, 0, 0, 0, 0, 3, 6}, make([]byte, 50)...),
		append([]byte{0x60, 0, 0, 0, 0, 20, 6, 3}, make([]byte, 40)...),
	} {
		was := append([]byte(nil), b...)
		setTCPZeroSum(b)
		var p frame.Probe
		(&zeroSum{}).amend(b, &p)
		if diff := cmp.Diff(was, b); diff != "" || p.TCP != (frame.TCPHeader{}) {
			t.Errorf("%x (-was +is):\n%s", was, diff)
		}
	}
}
