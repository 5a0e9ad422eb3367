package text

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

func TestNote(t *testing.T) {
	r6 := addr("fd00:100::20")
	tests := []struct {
		name string
		a    hops.Answer
		want string
	}{
		{"time exceeded", te(r1), ""},
		{"time exceeded, IPv6", te(r6), ""},
		{"reassembly", icmp(r1, frame.KindTimeExceeded, 11, 1), "!<11-1>"},
		{"reassembly, IPv6", icmp(r6, frame.KindTimeExceeded, 3, 1), "!<3-1>"},
		{"parameter problem", icmp(r1, frame.KindParamProblem, 12, 0), "!<12-0>"},
		{"parameter problem, IPv6", icmp(r6, frame.KindParamProblem, 4, 1), "!<4-1>"},
		{"too big", big(r1, 1400), "!F-1400"},
		{"too big without MTU", big(r1, 0), "!F-0"},
		{"too big, largest", big(r6, 1<<32-1), "!F-4294967295"},
		{"too big, IPv6", big(r6, 1280), "!F-1280"},
		{"too big here", tooBigHere(1500), "!F-1500"},
		{"source quench", icmp(r1, frame.KindSourceQuench, 4, 0), "!<4-0>"},
		{"redirect", icmp(r1, frame.KindRedirect, 5, 1), "!<5-1>"},
		{"lost", lost, ""},
		{"echo reply", direct(target, frame.KindEchoReply), ""},
		{"UDP answer", direct(target, frame.KindUDP), ""},
		{"TCP answer", seg(0x14), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Note(outcomeOf(tt.a), tt.a); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnreachableNotes(t *testing.T) {
	v4 := map[uint8]string{
		0: "!N", 1: "!H", 2: "!P", 3: "", 5: "!S", 6: "!N", 7: "!H", 8: "!N", 9: "!X", 10: "!X",
		11: "!N", 12: "!H", 13: "!X", 14: "!V", 15: "!C",
	}
	v6 := map[uint8]string{0: "!N", 1: "!X", 2: "!H", 3: "!H", 4: ""}
	for _, family := range []struct {
		from    netip.Addr
		letters map[uint8]string
	}{{r1, v4}, {addr("fd00:100::20"), v6}} {
		for code := range 256 {
			if family.from == r1 && code == 4 {
				continue // a too-big error, which has a kind of its own
			}
			want, ok := family.letters[uint8(code)]
			if !ok {
				want = fmt.Sprintf("!<%d>", code)
			}
			a := un(family.from, uint8(code))
			if got := Note(outcomeOf(a), a); got != want {
				t.Errorf("code %d from %v: got %q, want %q", code, family.from, got, want)
			}
		}
	}
}

// An answer that has not been taken as one has no note, whatever it says.
func TestNoteOfOpenProbe(t *testing.T) {
	for _, o := range []hops.Outcome{hops.Open, hops.Lost} {
		if got := Note(o, un(r1, 1)); got != "" {
			t.Errorf("outcome %d: got %q, want none", o, got)
		}
	}
}
