package pmtu_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// falling is the path with links of 1500, 1400 and 1300 bytes.
var falling = []int{1500, 1400, 1300, 0}

func TestTold(t *testing.T) {
	tests := []struct {
		name string
		path path
		want string // lines
		wire string // not looked at when empty
	}{
		{"three steps", path{links: falling}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  10.1.2.1  X ms F=1400  X ms  X ms
 3  10.1.3.1  X ms F=1300  X ms  X ms
 4  10.2.2.2  X ms  X ms  X ms`,
			"33435(1500) 33436(1500) 33437(1500) 33438(1500) 33439(1400) 33440(1400) 33441(1400) 33442(1400) " +
				"33443(1300) 33444(1300) 33445(1300) 33446(1300) 33447(1300) 33448(1300)"},
		{"icmp", path{links: falling, method: frame.ICMP, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F=1400
 3  10.1.3.1  X ms F=1300
 4  10.2.2.2  X ms`, "2(1500) 3(1500) 4(1400) 5(1400) 6(1300) 7(1300)"},
		{"packetlen", path{links: falling, size: 1450, queries: 1}, `
 1  10.1.1.1  X ms
 2  10.1.2.1  X ms F=1400
 3  10.1.3.1  X ms F=1300
 4  10.2.2.2  X ms`, "33434(1450) 33435(1450) 33436(1400) 33437(1400) 33438(1300) 33439(1300)"},
		{"lost behind the step", path{
			links: []int{1500, 1400, 0}, mute: []int{2}, wait: hops.Wait{Max: 500 * ms},
		}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  * F=1400 * *
 3  10.2.2.2  X ms  X ms  X ms`, ""},
		{"two steps at once", path{links: []int{0, 1300}, tell: map[int]uint32{}, size: 1500, queries: 2,
			answer: twoSteps()}, `
 1  10.1.1.1  X ms F=1300  X ms
 2  10.2.2.2  X ms  X ms`, "33434(1500) 33435(1400) 33436(1300) 33437(1300) 33438(1300) 33439(1300)"},
		{"no MTU told", path{links: falling, tell: map[int]uint32{1: 0}, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  10.1.1.1  X ms !F-0  X ms !F-0`, ""},
		{"the present size told", path{links: falling, tell: map[int]uint32{1: 1500}, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  10.1.1.1  X ms !F-1500  X ms !F-1500`, ""},
		{"less than the headers told", path{links: falling, tell: map[int]uint32{1: 27}, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.1.1  X ms !F-27`, ""},
		{"just the headers told", path{links: falling, tell: map[int]uint32{1: 28}, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F=28
 3  10.1.3.1  X ms
 4  10.2.2.2  X ms`, "33435(1500) 33436(1500) 33437(28) 33438(28) 33439(28)"},
		{"an absurd MTU told", path{links: falling, tell: map[int]uint32{1: 0xffffffff}, queries: 1, v6: true}, `
 1  fd00::1:1  X ms F=1500
 2  fd00::1:1  X ms !F-4294967295`, ""},
		{"IPv6", path{links: []int{1500, 1400, 0}, v6: true, queries: 2}, `
 1  fd00::1:1  X ms F=1500  X ms
 2  fd00::2:1  X ms F=1400  X ms
 3  fd00::2  X ms  X ms`, "33435(1500) 33436(1500) 33437(1500) 33438(1400) 33439(1400) 33440(1400) 33441(1400)"},
		{"IPv6 icmp", path{links: []int{1500, 1400, 0}, v6: true, queries: 1, method: frame.ICMP}, `
 1  fd00::1:1  X ms F=1500
 2  fd00::2:1  X ms F=1400
 3  fd00::2  X ms`, ""},
		{"a wider window", path{links: falling, window: 16, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  10.1.2.1  X ms F=1400  X ms
 3  10.1.3.1  X ms F=1300  X ms
 4  10.2.2.2  X ms  X ms`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(tt.path, pmtu.NewTold)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(tt.want[1:], "\n"), got.lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if tt.wire != "" {
				if diff := cmp.Diff(tt.wire, got.wire()); diff != "" {
					t.Errorf("wire (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// twoSteps is a first router that tells 1400 bytes and then, to those, 1300,
// before the path goes on as it should.
func twoSteps() func(virtual.Sent) []virtual.Reply {
	r1 := netip.MustParseAddr("10.1.1.1")
	script := &virtual.Script{
		TTL: map[int][]virtual.Step{1: {
			{Kind: frame.KindTooBig, From: r1, MTU: 1400}, {Kind: frame.KindTooBig, From: r1, MTU: 1300},
			{Kind: frame.KindTimeExceeded, From: r1, After: ms},
		}},
		Rest: []virtual.Step{{Kind: frame.KindUnreachable, Code: 3, After: ms}},
	}
	return script.Respond
}

// Without discovery a too-big answer is final: options -F and -F -N1.
func TestDontFragment(t *testing.T) {
	tests := []struct {
		name string
		path path
		want string
	}{
		{"a router's", path{links: falling, size: 1450, queries: 2, window: 16}, `
 1  10.1.1.1  X ms  X ms
 2  10.1.1.1  X ms !F-1400  X ms !F-1400`},
		{"this host's", path{links: falling, size: 1501, queries: 2, window: 16}, `
 1  *  X ms !F-1500 *  X ms !F-1500`},
		{"this host's, IPv6", path{links: falling, size: 1501, queries: 2, window: 16, v6: true}, `
 1  *  X ms !F-1500 *  X ms !F-1500`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(tt.path, hops.New)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(tt.want[1:], "\n"), got.lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// The records of a told trace: how often each probe was sent, and the RTT of
// its last send alone.
func TestToldRecords(t *testing.T) {
	got, err := run(path{links: falling, queries: 1}, pmtu.NewTold)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Sends, Size int
		Shrunk      uint32
		RTT         time.Duration
	}
	var rows []row
	for _, r := range got.strategy.Records() {
		rows = append(rows, row{r.Sends, r.Probe.Size, r.Shrunk, r.Answer.RTT})
	}
	want := []row{{2, 1500, 1500, ms}, {2, 1400, 1400, ms}, {2, 1300, 1300, ms}, {1, 1300, 0, ms}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
