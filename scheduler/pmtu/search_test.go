package pmtu_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

func TestSearch(t *testing.T) {
	tests := []struct {
		name string
		path path
		want string
		most int // packets sent at most
	}{
		{"all told", path{links: falling}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  10.1.2.1  X ms F=1400  X ms  X ms
 3  10.1.3.1  X ms F=1300  X ms  X ms
 4  10.2.2.2  X ms  X ms  X ms`, 18},
		{"a black hole of a usual size", path{links: falling, silent: []int{1}}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  10.1.2.1  X ms F~1400  X ms  X ms
 3  10.1.3.1  X ms F=1300  X ms  X ms
 4  10.2.2.2  X ms  X ms  X ms`, 50},
		{"of an odd size", path{links: []int{1500, 1387, 0}, silent: []int{1}}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  10.1.2.1  X ms F~1387  X ms  X ms
 3  10.2.2.2  X ms  X ms  X ms`, 70},
		{"before the destination", path{links: []int{1500, 0, 1006}, silent: []int{2}, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms
 3  10.2.2.2  X ms F~1006`, 50},
		{"before the destination, icmp", path{links: []int{1500, 0, 1006}, silent: []int{2}, queries: 1, method: frame.ICMP}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms
 3  10.2.2.2  X ms F~1006`, 50},
		{"two black holes", path{links: []int{1500, 1480, 1300, 0}, silent: []int{1, 2}, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  10.1.2.1  X ms F~1480  X ms
 3  10.1.3.1  X ms F~1300  X ms
 4  10.2.2.2  X ms  X ms`, 100},
		{"two in one hop's way, the second tells", path{links: []int{1500, 1480, 1300, 0}, silent: []int{1}, mute: []int{2}, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  * *
 3  10.1.3.1  X ms F=1300  X ms
 4  10.2.2.2  X ms  X ms`, 50},
		{"down to the smallest", path{links: []int{1500, 68, 0}, silent: []int{1}, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F~68
 3  10.2.2.2  X ms`, 70},
		{"smaller than anything tried", path{links: []int{1500, 60}, silent: []int{1}, queries: 1, wait: hops.Wait{Max: ms}}, `
 1  10.1.1.1  X ms F=1500
` + stars(2, 30), 100},
		{"jumbo", path{links: []int{9000, 1500, 0}, silent: []int{1}, queries: 1}, `
 1  10.1.1.1  X ms F=9000
 2  10.1.2.1  X ms F~1500
 3  10.2.2.2  X ms`, 70},
		{"a silent hop", path{links: []int{1500, 0, 0, 0}, mute: []int{2}}, `
 1  10.1.1.1  X ms F=1500  X ms  X ms
 2  * * *
 3  10.1.3.1  X ms  X ms  X ms
 4  10.2.2.2  X ms  X ms  X ms`, 14},
		{"a black hole before a silent hop", path{links: []int{1500, 1400, 0, 0}, silent: []int{1}, mute: []int{2}, queries: 1}, `
 1  10.1.1.1  X ms F=1500
 2  *
 3  10.1.3.1  X ms F~1400
 4  10.2.2.2  X ms`, 50},
		{"a told MTU that is too large", path{
			links: []int{1500, 1380, 0}, tell: map[int]uint32{1: 1420}, queries: 1,
		}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F~1380
 3  10.2.2.2  X ms`, 30},
		{"no MTU told", path{links: []int{1500, 1400, 0}, tell: map[int]uint32{1: 0}, queries: 2}, `
 1  10.1.1.1  X ms F=1500  X ms
 2  10.1.2.1  X ms F~1400  X ms
 3  10.2.2.2  X ms  X ms`, 30},
		{"IPv6", path{links: []int{1500, 1400, 1280, 0}, v6: true, silent: []int{1, 2}, queries: 2}, `
 1  fd00::1:1  X ms F=1500  X ms
 2  fd00::2:1  X ms F~1400  X ms
 3  fd00::3:1  X ms F~1280  X ms
 4  fd00::2  X ms  X ms`, 100},
		{"IPv6 icmp", path{links: []int{1500, 1400, 0}, v6: true, silent: []int{1}, queries: 1, method: frame.ICMP}, `
 1  fd00::1:1  X ms F=1500
 2  fd00::2:1  X ms F~1400
 3  fd00::2  X ms`, 50},
		{"packetlen below the smallest tried", path{links: []int{1500, 1400, 0}, mute: []int{2}, size: 40, queries: 1}, `
 1  10.1.1.1  X ms
 2  *
 3  10.2.2.2  X ms`, 3},
		{"no limit to the wait", path{links: falling, queries: 1, wait: hops.Wait{Max: scheduler.Never}}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F=1400
 3  10.1.3.1  X ms F=1300
 4  10.2.2.2  X ms`, 6},
		{"no wait at all", path{links: []int{1500, 0}, queries: 1, wait: hops.Wait{Max: 1}}, "\n 1  * F=1500\n" + stars(2, 30), 90},
		{"factor HERE off", path{links: []int{1500, 1400, 0}, silent: []int{1}, queries: 1, wait: hops.Wait{Max: 20 * ms}}, `
 1  10.1.1.1  X ms F=1500
 2  10.1.2.1  X ms F~1400
 3  10.2.2.2  X ms`, 50},
	}
	for _, tt := range tests {
		for _, window := range []int{1, 16} {
			t.Run(tt.name, func(t *testing.T) {
				tt.path.window = window
				got, err := run(tt.path, pmtu.NewSearch)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(strings.Split(tt.want[1:], "\n"), got.lines); diff != "" {
					t.Errorf("window %d, lines (-want +got):\n%s", window, diff)
				}
				if n := len(got.net.Sent); n > tt.most {
					t.Errorf("window %d: %d packets, at most %d should do: %s", window, n, tt.most, got.wire())
				}
			})
		}
	}
}

func stars(from, to int) string {
	var lines []string
	for ttl := from; ttl <= to; ttl++ {
		lines = append(lines, fmt.Sprintf("%2d  *", ttl))
	}
	return strings.Join(lines, "\n")
}

// lossy loses those packets of a TTL whose number, from 0, is listed.
func lossy(ttl int, which ...int) func(virtual.Sent) bool {
	n := 0
	return func(p virtual.Sent) bool {
		if int(p.Probe.TTL) != ttl {
			return false
		}
		n++
		for _, w := range which {
			if w == n-1 {
				return true
			}
		}
		return false
	}
}

// Plain loss is no black hole.
func TestSearchLoss(t *testing.T) {
	tests := []struct {
		name string
		path path
		want string
	}{
		{"one query", path{lose: lossy(2, 0)}, ` 2  * 10.1.2.1  X ms  X ms`},
		{"all queries", path{lose: lossy(2, 0, 1, 2)}, ` 2  10.1.2.1  X ms * *`},
		{"all queries and two trials", path{lose: lossy(2, 0, 1, 2, 4, 6)}, ` 2  10.1.2.1  X ms * *`},
		{"the first doubt too", path{lose: lossy(2, 0, 1, 2, 3)}, ` 2  10.1.2.1  X ms * *`},
		{"a burst in mid-search", path{lose: lossy(2, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10)}, ` 2  10.1.2.1  X ms * *`},
		{"everything after the doubt", path{lose: func(p virtual.Sent) bool {
			return p.Probe.TTL == 2 && p.Probe.DstPort != 33434+7
		}}, ` 2  * * *`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.path.links = []int{1500, 0, 0}
			got, err := run(tt.path, pmtu.NewSearch)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{" 1  10.1.1.1  X ms F=1500  X ms  X ms", tt.want, " 3  10.2.2.2  X ms  X ms  X ms"}
			if diff := cmp.Diff(want, got.lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s\n%s", diff, got.wire())
			}
		})
	}
}

// A router that answers six times at once, and then once a second, makes the
// search slow and not wrong.
func TestSearchRateLimit(t *testing.T) {
	for _, mtu := range []int{0, 1400, 1387} {
		tokens, last := 6.0, time.Duration(0)
		limited := path{links: []int{1500, mtu, 0}, silent: []int{1}, queries: 3}
		script := limited.network().Respond
		limited.lose = func(p virtual.Sent) bool {
			if p.Probe.TTL != 2 || len(script(p)) == 0 {
				return false
			}
			tokens = min(6, tokens+(p.At-last).Seconds())
			last = p.At
			if tokens < 1 {
				return true
			}
			tokens--
			return false
		}
		got, err := run(limited, pmtu.NewSearch)
		if err != nil {
			t.Fatal(err)
		}
		size := got.strategy.Records()[3].Probe.Size
		want := mtu
		if mtu == 0 {
			want = 1500
		}
		if size != want {
			t.Errorf("MTU %d: size %d at hop 2, want %d; %q\n%s", mtu, size, want, got.lines, got.wire())
		}
	}
}

// Answers that come later than the search waits prove their size all the same.
func TestSearchLateAnswers(t *testing.T) {
	slow := path{links: []int{1500, 0, 0}, queries: 1}
	respond := slow.network().Respond
	slow.answer = func(p virtual.Sent) []virtual.Reply {
		replies := respond(p)
		if p.Probe.TTL == 2 && p.Probe.Size > 1000 {
			for i := range replies {
				replies[i].After = 150 * ms
			}
		}
		return replies
	}
	slow.wait = hops.Wait{Max: 140 * ms, Here: 3}
	got, err := run(slow, pmtu.NewSearch)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range got.lines {
		if strings.Contains(line, "F~") {
			t.Errorf("found a black hole where answers are late: %q", got.lines)
		}
	}
}
