package rx_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// The group tests are for probes of every method from h1 to anywhere.
var (
	h16       = netip.MustParseAddr("fd00:100::10")
	r16       = netip.MustParseAddr("fd00:100::20")
	target6   = netip.MustParseAddr("fd00:120::20")
	testPorts = [2]uint16{0x9000, 0x90ff}
)

// replies are frames to h1 in all forms for probes from the port: errors and
// answers of all methods in both families, IPv4 with and without options.
func replies(t testing.TB, port uint16) [][]byte {
	t.Helper()
	all := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	link := frame.Link{Type: frame.LinkEthernet, Dst: all}
	var list [][]byte
	for m := frame.UDP; m <= frame.DCCP; m++ {
		for _, f := range []struct {
			local, router, target netip.Addr
			exceeded              uint8
		}{{h1, r1, target, 11}, {h16, r16, target6, 3}} {
			p := frame.Probe{Method: m, Src: f.local, Dst: f.target, TTL: 1, SrcPort: port, DstPort: 33434, TCP: frame.TCPHeader{Flags: frame.FlagSYN}}
			p.Size = p.HeaderLen()
			tmpl, err := frame.NewTemplate(frame.Link{}, &p)
			if err != nil {
				t.Fatal(err)
			}
			quote := make([]byte, tmpl.Len())
			tmpl.Put(quote, &p)
			e := frame.ErrorMessage{Link: link, From: f.router, To: f.local, TTL: 60, Type: f.exceeded, Quote: quote}
			a := frame.Answer{Link: link, From: f.target, To: f.local, TTL: 60, Method: m, SrcPort: 33434, DstPort: port, Flags: frame.FlagRST, Type: frame.DCCPReset}
			if m == frame.ICMP {
				a.SrcPort = port
			}
			list = append(list, e.Append(nil), a.Append(nil))
			if f.local.Is4() {
				e.Quote = withOptions(quote, 0)
				list = append(list, withOptions(e.Append(nil), 14))
			}
		}
	}
	return list
}

// withOptions gives a copy of a packet whose IPv4 header at has 4 bytes more.
func withOptions(b []byte, at int) []byte {
	out := append([]byte(nil), b[:at+20]...)
	out = append(append(out, 1, 1, 1, 1), b[at+20:]...)
	out[at]++
	binary.BigEndian.PutUint16(out[at+2:], uint16(len(out)-at))
	return out
}

// openGroup opens rings for all methods at once.
func openGroup(t testing.TB, n *lab.Net, shards int) *rx.Group {
	t.Helper()
	var group *rx.Group
	err := n.Host("h1").Do(func() error {
		ifi, err := net.InterfaceByName(wire)
		if err != nil {
			return err
		}
		configs := make([]rx.RingConfig, shards)
		for i := range configs {
			configs[i] = rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Filter: numbered(t), Profile: rx.Survey}
		}
		group, err = rx.OpenGroup(configs...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { group.Close() })
	return group
}

// mark ends each of the test's frames, behind its number.
const mark = 0x7e57f00d

// numbered is a filter for frames that end with the mark.
func numbered(t testing.TB) []bpf.RawInstruction {
	t.Helper()
	code, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtLen},
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: 4},
		bpf.TAX{},
		bpf.LoadIndirect{Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: mark, SkipFalse: 1},
		bpf.RetConstant{Val: 65535},
		bpf.RetConstant{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// tally is what one shard's reader saw.
type tally struct {
	numbers []uint32
	wrong   string // the first packet that is not this shard's
}

// readShard drains the ring until done is closed and nothing is left.
func readShard(ring *rx.Ring, shard, shards, perPort int, done <-chan struct{}) (tally, error) {
	var s tally
	for last := false; ; {
		select {
		case <-done:
			last = true
		default:
		}
		before := len(s.numbers)
		if err := ring.Wait(time.Since(ring.Epoch()) + 50*time.Millisecond); err != nil {
			return s, err
		}
		err := ring.Drain(func(p *rx.Packet) {
			i := binary.BigEndian.Uint32(p.Data[len(p.Data)-8:])
			s.numbers = append(s.numbers, i)
			port := testPorts[0] + uint16(int(i)/perPort%256)
			if s.wrong == "" && rx.ShardOf(port, shards) != shard {
				s.wrong = fmt.Sprintf("shard %d got a reply to port %d: %x", shard, port, p.Data)
			}
		})
		if err != nil || last && len(s.numbers) == before {
			return s, err
		}
	}
}

// TestGroupSteers has 100,000 replies of all kinds arrive: each comes out of
// one ring, that of its probe's port.
func TestGroupSteers(t *testing.T) {
	for _, shards := range []int{2, 4} {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) { testGroup(t, shards, 100_000, nil) })
	}
}

// An interface that goes down and comes back has the same shards.
func TestGroupSurvivesLinkDown(t *testing.T) {
	testGroup(t, 4, 5_000, func(n *lab.Net) {
		for _, up := range []bool{false, true} {
			if err := n.Host("h1").SetLink(wire, up); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func testGroup(t *testing.T, shards, count int, before func(*lab.Net)) {
	n := openLine(t)
	group := openGroup(t, n, shards)
	if before != nil {
		before(n)
		for _, r := range group.Rings {
			_ = r.Wait(0) // takes the report that it went down
		}
	}
	var frames [][]byte
	perPort := 0
	for port := range 256 {
		list := replies(t, testPorts[0]+uint16(port))
		perPort = len(list)
		frames = append(frames, list...)
	}
	done := make(chan struct{})
	tallies, errs := make([]tally, shards), make([]error, shards)
	var readers sync.WaitGroup
	for i, r := range group.Rings {
		readers.Go(func() { tallies[i], errs[i] = readShard(r, i, shards, perPort, done) })
	}
	send := sender(t, n)
	var b []byte
	for i := range count {
		b = append(b[:0], frames[i%len(frames)]...)
		b = binary.BigEndian.AppendUint32(b, uint32(i))
		send(binary.BigEndian.AppendUint32(b, mark))
	}
	close(done)
	readers.Wait()
	seen := make([]int, count)
	for i := range tallies {
		if errs[i] != nil || tallies[i].wrong != "" {
			t.Errorf("shard %d: error %v; %s", i, errs[i], tallies[i].wrong)
		}
		if len(tallies[i].numbers) < count/shards*9/10 {
			t.Errorf("shard %d got %d of %d replies", i, len(tallies[i].numbers), count)
		}
		for _, k := range tallies[i].numbers {
			seen[k]++
		}
	}
	missing, doubled := 0, 0
	for _, k := range seen {
		if k == 0 {
			missing++
		} else if k > 1 {
			doubled++
		}
	}
	stats, err := group.Stats()
	want := rx.RingStats{Received: uint64(count), Handed: uint64(count)}
	if missing != 0 || doubled != 0 || stats != want || err != nil {
		t.Errorf("%d replies missing, %d more than once; counts %+v, error %v, want %+v", missing, doubled, stats, err, want)
	}
}

func TestOpenGroupErrors(t *testing.T) {
	n := openLine(t)
	err := n.Host("h1").Do(func() error {
		ifi, err := net.InterfaceByName(wire)
		if err != nil {
			return err
		}
		lo, err := net.InterfaceByName("lo")
		if err != nil {
			return err
		}
		ok := rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet}
		for _, c := range []struct {
			name    string
			configs []rx.RingConfig
			want    string
		}{
			{"none", nil, "open group of receive rings: 0 rings, need 1..256"},
			{"too many", make([]rx.RingConfig, 257), "open group of receive rings: 257 rings, need 1..256"},
			{"two interfaces", []rx.RingConfig{ok, {Interface: lo, Link: frame.LinkEthernet}},
				"open group of receive rings: ring 1 is for lo and link type 1, need veth1-h1 and 1 as ring 0"},
			{"no interface", []rx.RingConfig{{}}, "open receive ring: no interface given"},
			{"no interface in the second", []rx.RingConfig{ok, {Link: frame.LinkEthernet}}, "open receive ring: no interface given"},
		} {
			g, err := rx.OpenGroup(c.configs...)
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: error %v, want %s", c.name, err, c.want)
			}
			if g != nil {
				t.Errorf("%s: a group in spite of the error", c.name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
