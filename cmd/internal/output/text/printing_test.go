package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

func TestWhoAndStars(t *testing.T) {
	te1, te2, te3 := te(r1), te(r2), te(r3)
	other := te(addr("10.1.1.2"))
	banned := un(addr("10.8.8.8"), 13)
	tests := []struct {
		name string
		cfg  Config
		hops []hop
		want string
	}{
		{"three responders, one twice", Config{Numeric: true}, []hop{at(1, te1, other, te1)},
			" 1  10.1.1.1  X ms 10.1.1.2  X ms 10.1.1.1  X ms"},
		{"second responder last", Config{Numeric: true}, []hop{at(2, te2, te2, te(addr("10.1.2.2")))},
			" 2  10.1.2.1  X ms  X ms 10.1.2.2  X ms"},
		{"star between", Config{Numeric: true}, []hop{at(3, te3, lost, te3)},
			" 3  10.1.3.1  X ms *  X ms"},
		{"star first", Config{Numeric: true}, []hop{at(4, lost, te(addr("10.1.4.1")), te(addr("10.1.4.1")))},
			" 4  * 10.1.4.1  X ms  X ms"},
		{"answer last", Config{Numeric: true}, []hop{at(5, lost, lost, te(addr("10.1.5.1")))},
			" 5  * * 10.1.5.1  X ms"},
		{"two responders around a star", Config{Numeric: true}, []hop{at(6, te(addr("10.1.6.1")), lost, te(addr("10.1.6.2")))},
			" 6  10.1.6.1  X ms * 10.1.6.2  X ms"},
		{"all lost", Config{Numeric: true}, []hop{at(2, lost, lost, lost)},
			" 2  * * *"},
		{"one silent probe", Config{Numeric: true}, []hop{at(1, lost)},
			" 1  *"},
		{"wide hop numbers", Config{Numeric: true}, []hop{at(98, lost), at(99, lost), at(100, lost), at(101, un(target, 3))},
			"98  *\n99  *\n100  *\n101  10.2.2.2  X ms"},
		{"never reached", Config{Numeric: true}, []hop{at(1, te1), at(2, te2), at(3, te3)},
			" 1  10.1.1.1  X ms\n 2  10.1.2.1  X ms\n 3  10.1.3.1  X ms"},
		{"ten probes", Config{Numeric: true}, []hop{at(3, un(target, 3), un(target, 3), un(target, 3), un(target, 3), un(target, 3),
			un(target, 3), un(target, 3), un(target, 3), un(target, 3), un(target, 3))},
			" 3  10.2.2.2" + strings.Repeat("  X ms", 10)},
		{"mixed notes", Config{Numeric: true}, []hop{at(2, banned, un(target, 3), banned)},
			" 2  10.8.8.8  X ms !X 10.2.2.2  X ms 10.8.8.8  X ms !X"},
		{"note in the middle", Config{Numeric: true}, []hop{at(2, te2, un(r2, 1), te2)},
			" 2  10.1.2.1  X ms  X ms !H  X ms"},
		{"early unreachable, then silence", Config{Numeric: true}, []hop{at(2, un(r2, 1), lost, lost)},
			" 2  10.1.2.1  X ms !H * *"},
		{"a new line names its responder again", Config{Numeric: true}, []hop{at(1, te1), at(2, te1)},
			" 1  10.1.1.1  X ms\n 2  10.1.1.1  X ms"},
		{"no names to ask", Config{}, []hop{at(1, te1, te1)},
			" 1  10.1.1.1 (10.1.1.1)  X ms  X ms"},
		{"host names", Config{Names: hosts{}}, []hop{at(1, te1, te1), at(2, te2, lost), at(3, un(target, 3))},
			" 1  gw.example.net (10.1.1.1)  X ms  X ms\n 2  10.1.2.1 (10.1.2.1)  X ms *\n 3  dst.example.net (10.2.2.2)  X ms"},
		{"own address for a dead neighbour", Config{Numeric: true}, []hop{at(1, un(addr("192.168.100.10"), 1), un(addr("192.168.100.10"), 1))},
			" 1  192.168.100.10  X ms !H  X ms !H"},
		{"too big to leave", Config{Numeric: true}, []hop{at(1, tooBigHere(1500), tooBigHere(1500))},
			" 1  *  X ms !F-1500 *  X ms !F-1500"},
		{"too big to leave, then silence", Config{Numeric: true}, []hop{at(1, tooBigHere(1500), lost)},
			" 1  *  X ms !F-1500 *"},
		{"reply TTL 1 leaves no mark", Config{Numeric: true}, []hop{at(1, withTTL(te1, 1)), at(2, withTTL(un(target, 3), 1))},
			" 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms"},
		{"arrival from another address", Config{Numeric: true}, []hop{at(2, un(addr("10.77.7.7"), 3), un(addr("10.77.7.7"), 3))},
			" 2  10.77.7.7  X ms  X ms"},
		{"echo reply and UDP answer", Config{Numeric: true}, []hop{at(1, direct(target, frame.KindEchoReply), direct(target, frame.KindUDP))},
			" 1  10.2.2.2  X ms  X ms"},
		{"IPv6", Config{Numeric: true}, []hop{at(1, te(addr("fd00:100::20")), te(addr("fd00:100::20"))), at(2, un(addr("fd00:120::20"), 4))},
			" 1  fd00:100::20  X ms  X ms\n 2  fd00:120::20  X ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, tt.cfg, tt.hops, tt.want) })
	}
}

func TestTCPInfo(t *testing.T) {
	flags := []hop{at(2, seg(0x12), seg(0x14), seg(0x52), seg(0xff), seg(0))}
	check(t, Config{Numeric: true, TCPInfo: true}, flags,
		" 2  10.2.2.2 <syn,ack>  X ms 10.2.2.2 <rst,ack>  X ms 10.2.2.2 <syn,ack,ece>  X ms"+
			" 10.2.2.2 <fin,syn,rst,psh,ack,urg,ece,cwr>  X ms 10.2.2.2 <>  X ms")
	check(t, Config{Numeric: true}, flags, " 2  10.2.2.2  X ms  X ms  X ms  X ms  X ms")
	check(t, Config{TCPInfo: true}, []hop{at(3, seg(0x12), lost, seg(0x12))},
		" 3  10.2.2.2 (10.2.2.2) <syn,ack>  X ms *  X ms")
	// An error from the target itself carries no flags: the address repeats.
	check(t, Config{Numeric: true, TCPInfo: true}, []hop{at(2, un(target, 13), seg(0x14))},
		" 2  10.2.2.2  X ms !X 10.2.2.2 <rst,ack>  X ms")
}

func check(t *testing.T, cfg Config, hopList []hop, want string) {
	t.Helper()
	var out strings.Builder
	got, err := play(New(&out, cfg), &out, hopList)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("\n"+want+"\n", got); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

// tooBigHere answers a probe that never left.
func tooBigHere(mtu uint32) (a hops.Answer) {
	a.Kind, a.MTU, a.RTT, a.Local = frame.KindTooBig, mtu, rtt, true
	return a
}

func withTTL(a hops.Answer, ttl uint8) hops.Answer {
	a.TTL = ttl
	return a
}
