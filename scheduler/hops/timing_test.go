package hops_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

const ms = time.Millisecond

var (
	source = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
	r1     = netip.MustParseAddr("10.1.1.1")
	r2     = netip.MustParseAddr("10.1.2.1")
	r3     = netip.MustParseAddr("10.1.3.1")
)

func te(from netip.Addr, after time.Duration) virtual.Step {
	return virtual.Step{Kind: frame.KindTimeExceeded, From: from, After: after}
}

func unreachable(code uint8, from netip.Addr, after time.Duration) virtual.Step {
	return virtual.Step{Kind: frame.KindUnreachable, Code: code, From: from, After: after}
}

func port(after time.Duration) virtual.Step { return unreachable(3, target, after) }

// counter hands out source ports without sockets.
type counter struct{ next uint16 }

func (c *counter) Hold() (uint16, error) { c.next++; return 40000 + c.next, nil }
func (c *counter) Release(uint16)        {}

// trace is one run: defaults of traceroute where nothing is said.
type trace struct {
	window, queries, last int
	wait                  *hops.Wait
	gap                   time.Duration
	script                virtual.Script
}

type result struct {
	net    *virtual.Net
	lines  []string
	hops   *hops.Hops
	engine *scheduler.Engine
	took   time.Duration
}

func run(t *testing.T, c trace) result {
	t.Helper()
	if c.queries == 0 {
		c.queries = 3
	}
	if c.window == 0 {
		c.window = 16
	}
	if c.last == 0 {
		c.last = 30
	}
	if c.wait == nil {
		c.wait = &hops.Wait{Max: 5 * time.Second, Here: 3, Near: 10}
	}
	var res result
	strategy, err := hops.New(hops.Config{
		First: 1, Last: c.last, Queries: c.queries, Wait: *c.wait, Count: hops.CountPort,
		Probe:  frame.Probe{Method: frame.UDP, Src: source, Dst: target, Size: 60, DstPort: 33434},
		Settle: func(s hops.Settled) { res.lines = appendSettled(res.lines, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	res.hops = strategy
	res.net = &virtual.Net{Respond: c.script.Respond}
	res.engine = scheduler.New(scheduler.Config{
		Strategy: strategy, Clock: res.net, Sender: res.net, Receiver: res.net,
		Identities: scheduler.NewFresh(&counter{}, rand.New(rand.NewPCG(1, 2)), nil),
		Window:     c.window, Gap: c.gap,
	})
	if err := res.engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	res.took = res.net.Now()
	if n := res.engine.Counts(); n.Sent != n.Answered+n.Expired+n.InFlight {
		t.Errorf("sent %d != answered %d + expired %d + in flight %d", n.Sent, n.Answered, n.Expired, n.InFlight)
	}
	return res
}

// appendSettled prints a probe as traceroute -n would, with the RTT in whole
// milliseconds and the note as !type/code.
func appendSettled(lines []string, s hops.Settled) []string {
	if s.Query == 0 {
		lines = append(lines, fmt.Sprint(s.TTL))
	}
	word := " *"
	if a := s.Answer; s.Outcome != hops.Lost {
		word = fmt.Sprintf(" %s/%v", a.From, a.RTT.Round(ms))
		if s.Outcome == hops.Refused {
			word += fmt.Sprintf("!%d/%d", a.Type, a.Code)
		}
	}
	lines[len(lines)-1] += word
	return lines
}

// times lists the send times, equal ones as "time x count".
func (r result) times() string {
	var words []string
	for i := 0; i < len(r.net.Sent); {
		n := 1
		for i+n < len(r.net.Sent) && r.net.Sent[i+n].At == r.net.Sent[i].At {
			n++
		}
		words = append(words, fmt.Sprintf("%v x %d", r.net.Sent[i].At, n))
		i += n
	}
	return strings.Join(words, ", ")
}

func TestTiming(t *testing.T) {
	everyHop := func(after time.Duration, last int) virtual.Script {
		s := virtual.Script{TTL: map[int][]virtual.Step{}, Rest: []virtual.Step{port(after)}}
		for ttl := 1; ttl < last; ttl++ {
			s.TTL[ttl] = []virtual.Step{te(netip.AddrFrom4([4]byte{10, 1, byte(ttl), 1}), after)}
		}
		return s
	}
	tests := []struct {
		name  string
		trace trace
		times string // of sends; empty: not looked at
		lines []string
		took  time.Duration
	}{
		{
			name:  "56: a window of 4",
			trace: trace{window: 4, wait: &hops.Wait{Max: time.Second}, script: everyHop(100*ms, 5)},
			times: "0s x 4, 100ms x 4, 200ms x 4, 300ms x 4",
			lines: []string{
				"1 10.1.1.1/100ms 10.1.1.1/100ms 10.1.1.1/100ms",
				"2 10.1.2.1/100ms 10.1.2.1/100ms 10.1.2.1/100ms",
				"3 10.1.3.1/100ms 10.1.3.1/100ms 10.1.3.1/100ms",
				"4 10.1.4.1/100ms 10.1.4.1/100ms 10.1.4.1/100ms",
				"5 10.2.2.2/100ms 10.2.2.2/100ms 10.2.2.2/100ms",
			},
			took: 400 * ms,
		},
		{
			name:  "57: a first burst of 16",
			trace: trace{wait: &hops.Wait{Max: time.Second}, script: everyHop(100*ms, 3)},
			times: "0s x 16",
			lines: []string{
				"1 10.1.1.1/100ms 10.1.1.1/100ms 10.1.1.1/100ms",
				"2 10.1.2.1/100ms 10.1.2.1/100ms 10.1.2.1/100ms",
				"3 10.2.2.2/100ms 10.2.2.2/100ms 10.2.2.2/100ms",
			},
			took: 100 * ms,
		},
		{
			name:  "58: a silent hop fills the window",
			trace: trace{window: 3, wait: &hops.Wait{Max: 500 * ms}, script: silentAt(everyHop(100*ms, 4), 2)},
			times: "0s x 3, 100ms x 3, 600ms x 3, 700ms x 3",
			lines: []string{
				"1 10.1.1.1/100ms 10.1.1.1/100ms 10.1.1.1/100ms",
				"2 * * *",
				"3 10.1.3.1/100ms 10.1.3.1/100ms 10.1.3.1/100ms",
				"4 10.2.2.2/100ms 10.2.2.2/100ms 10.2.2.2/100ms",
			},
			took: 800 * ms,
		},
		{
			name:  "59: with nothing sent later NEAR has nothing to go by",
			trace: trace{window: 3, wait: &hops.Wait{Max: 2 * time.Second, Here: 3, Near: 5}, script: silentAt(everyHop(100*ms, 4), 2)},
			times: "0s x 3, 100ms x 3, 2.1s x 3, 2.2s x 3",
			lines: []string{
				"1 10.1.1.1/100ms 10.1.1.1/100ms 10.1.1.1/100ms",
				"2 * * *",
				"3 10.1.3.1/100ms 10.1.3.1/100ms 10.1.3.1/100ms",
				"4 10.2.2.2/100ms 10.2.2.2/100ms 10.2.2.2/100ms",
			},
			took: 2300 * ms,
		},
		{
			name:  "59: NEAR, (100+1) ms x 5",
			trace: trace{wait: &hops.Wait{Max: 2 * time.Second, Here: 3, Near: 5}, script: silentAt(everyHop(100*ms, 4), 2)},
			lines: []string{
				"1 10.1.1.1/100ms 10.1.1.1/100ms 10.1.1.1/100ms",
				"2 * * *",
				"3 10.1.3.1/100ms 10.1.3.1/100ms 10.1.3.1/100ms",
				"4 10.2.2.2/100ms 10.2.2.2/100ms 10.2.2.2/100ms",
			},
			took: 505 * ms,
		},
		{
			name: "60: HERE, (102+1) ms x 3",
			trace: trace{window: 1, wait: &hops.Wait{Max: 2 * time.Second, Here: 3, Near: 5}, script: virtual.Script{
				TTL: map[int][]virtual.Step{
					1: {te(r1, 102*ms)},
					2: {te(r2, 102*ms), {}, te(r2, 102*ms)},
				},
				Rest: []virtual.Step{port(102 * ms)},
			}},
			times: "0s x 1, 102ms x 1, 204ms x 1, 306ms x 1, 408ms x 1, 717ms x 1, 819ms x 1, 921ms x 1, 1.023s x 1",
			lines: []string{
				"1 10.1.1.1/102ms 10.1.1.1/102ms 10.1.1.1/102ms",
				"2 10.1.2.1/102ms * 10.1.2.1/102ms",
				"3 10.2.2.2/102ms 10.2.2.2/102ms 10.2.2.2/102ms",
			},
			took: 1125 * ms,
		},
		{
			name: "61: a near destination expires slow hops early",
			trace: trace{script: virtual.Script{
				TTL: map[int][]virtual.Step{
					1: {te(r1, 10*ms)}, 2: {te(r2, 20*ms)}, 3: {te(r3, 30*ms)},
				},
				Rest: []virtual.Step{port(600 * time.Microsecond)},
			}},
			lines: []string{
				"1 10.1.1.1/10ms 10.1.1.1/10ms 10.1.1.1/10ms",
				"2 * * *",
				"3 * * *",
				"4 10.2.2.2/1ms 10.2.2.2/1ms 10.2.2.2/1ms",
			},
			took: 16 * ms,
		},
		{
			name: "62: the same with one query",
			trace: trace{queries: 1, script: virtual.Script{
				TTL: map[int][]virtual.Step{
					1: {te(r1, 50*ms)}, 2: {te(r2, 50*ms)}, 3: {te(r3, 50*ms)},
				},
				Rest: []virtual.Step{port(350 * time.Microsecond)},
			}},
			lines: []string{"1 *", "2 *", "3 *", "4 10.2.2.2/0s"},
			took:  13500 * time.Microsecond,
		},
		{
			name: "63: answers after the deadline are not used",
			trace: trace{window: 3, last: 2, wait: &hops.Wait{Max: 500 * ms}, script: virtual.Script{
				TTL:  map[int][]virtual.Step{1: {te(r1, 600*ms)}},
				Rest: []virtual.Step{port(200 * ms)},
			}},
			lines: []string{"1 * * *", "2 10.2.2.2/200ms 10.2.2.2/200ms 10.2.2.2/200ms"},
			took:  700 * ms,
		},
		{
			name:  "64: a gap between sends",
			trace: trace{last: 1, gap: 200 * ms, script: everyHop(10*ms, 3)},
			times: "0s x 1, 200ms x 1, 400ms x 1",
			lines: []string{"1 10.1.1.1/10ms 10.1.1.1/10ms 10.1.1.1/10ms"},
			took:  410 * ms,
		},
		{
			name:  "65: no waiting at all",
			trace: trace{queries: 1, last: 4, wait: &hops.Wait{}, script: everyHop(10*ms, 9)},
			lines: []string{"1 *", "2 *", "3 *", "4 *"},
			took:  0,
		},
		{
			name: "66: an unreachable from a known router is shown at the first silent hop",
			trace: trace{last: 8, wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
				TTL:  map[int][]virtual.Step{1: {te(r1, ms)}, 2: {}, 3: {}, 4: {}},
				Rest: []virtual.Step{unreachable(1, r1, ms)},
			}},
			lines: []string{
				"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms",
				"2 10.1.1.1/1ms!3/1 10.1.1.1/1ms!3/1 10.1.1.1/1ms!3/1",
			},
			took: time.Second,
		},
		{
			name: "67: or from one that its reply TTL places there",
			trace: trace{last: 8, wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
				TTL:  map[int][]virtual.Step{1: {te(r1, ms)}, 2: {}, 3: {}, 4: {}},
				Rest: []virtual.Step{{Kind: frame.KindUnreachable, Code: 1, From: r2, After: ms, TTL: 63}},
			}},
			lines: []string{
				"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms",
				"2 10.1.2.1/1ms!3/1 10.1.2.1/1ms!3/1 10.1.2.1/1ms!3/1",
			},
			took: time.Second,
		},
		{
			name: "68: but not from further away",
			trace: trace{last: 8, wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
				TTL:  map[int][]virtual.Step{1: {te(r1, ms)}, 2: {}, 3: {}, 4: {}},
				Rest: []virtual.Step{{Kind: frame.KindUnreachable, Code: 1, From: r2, After: ms, TTL: 60}},
			}},
			lines: []string{
				"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms", "2 * * *", "3 * * *", "4 * * *",
				"5 10.1.2.1/1ms!3/1 10.1.2.1/1ms!3/1 10.1.2.1/1ms!3/1",
			},
			took: time.Second,
		},
		{
			name: "69: an arrival is never moved",
			trace: trace{last: 8, wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
				TTL:  map[int][]virtual.Step{1: {te(r1, ms)}, 2: {}, 3: {}},
				Rest: []virtual.Step{port(ms)},
			}},
			lines: []string{
				"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms", "2 * * *", "3 * * *",
				"4 10.2.2.2/1ms 10.2.2.2/1ms 10.2.2.2/1ms",
			},
			took: time.Second,
		},
		{
			name: "70: one unreachable and silence ends there",
			trace: trace{wait: &hops.Wait{Max: time.Second}, script: virtual.Script{
				TTL: map[int][]virtual.Step{1: {te(r1, ms)}, 2: {unreachable(1, r2, ms), {}}},
			}},
			lines: []string{"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms", "2 10.1.2.1/1ms!3/1 * *"},
			took:  time.Second,
		},
		{
			name: "71: the third probe of the last hop",
			trace: trace{wait: &hops.Wait{Max: 500 * ms}, script: virtual.Script{
				TTL: map[int][]virtual.Step{1: {te(r1, ms)}, 2: {te(r2, ms)}, 3: {{}, {}, port(ms)}},
			}},
			lines: []string{
				"1 10.1.1.1/1ms 10.1.1.1/1ms 10.1.1.1/1ms", "2 10.1.2.1/1ms 10.1.2.1/1ms 10.1.2.1/1ms", "3 * * 10.2.2.2/1ms",
			},
			took: 500 * ms,
		},
		{
			name: "71: only its first, which HERE makes short",
			trace: trace{wait: &hops.Wait{Max: time.Second, Here: 3, Near: 10}, script: virtual.Script{
				TTL: map[int][]virtual.Step{
					1: {te(r1, ms/4)}, 2: {te(r2, ms/4)}, 3: {port(ms / 4), {}},
				},
			}},
			lines: []string{
				"1 10.1.1.1/0s 10.1.1.1/0s 10.1.1.1/0s", "2 10.1.2.1/0s 10.1.2.1/0s 10.1.2.1/0s", "3 10.2.2.2/0s * *",
			},
			took: 3750 * time.Microsecond,
		},
		{
			name: "72: the nearest end wins",
			trace: trace{queries: 1, script: virtual.Script{
				TTL:  map[int][]virtual.Step{2: {port(ms)}, 4: {port(ms)}},
				Rest: []virtual.Step{te(r1, 50*ms)},
			}},
			lines: []string{"1 *", "2 10.2.2.2/1ms"},
			took:  20 * ms,
		},
		{
			name:  "73: one at a time",
			trace: trace{queries: 2, window: 1, wait: &hops.Wait{Max: 5 * time.Second}, script: everyHop(50*ms, 3)},
			times: "0s x 1, 50ms x 1, 100ms x 1, 150ms x 1, 200ms x 1, 250ms x 1",
			lines: []string{
				"1 10.1.1.1/50ms 10.1.1.1/50ms", "2 10.1.2.1/50ms 10.1.2.1/50ms", "3 10.2.2.2/50ms 10.2.2.2/50ms",
			},
			took: 300 * ms,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, tt.trace)
			if diff := cmp.Diff(tt.lines, got.lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if tt.times != "" && got.times() != tt.times {
				t.Errorf("sends at %s, want %s", got.times(), tt.times)
			}
			if got.took != tt.took {
				t.Errorf("took %v, want %v", got.took, tt.took)
			}
		})
	}
}

func silentAt(s virtual.Script, ttl int) virtual.Script {
	s.TTL[ttl] = nil
	return s
}
