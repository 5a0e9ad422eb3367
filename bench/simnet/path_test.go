package simnet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

// say tells what came back in words: kind, address and delay.
func say(frames []Frame) string {
	var words []string
	for _, f := range frames {
		var r frame.Reply
		frame.Decode(f.Data, frame.LinkEthernet, false, &r)
		w := fmt.Sprintf("%d/%d %s", r.Type, r.Code, r.From)
		if !r.Kind.IsError() {
			w = fmt.Sprintf("%d %s", r.Kind, r.From)
		}
		if f.After > 0 {
			w += " " + f.After.String()
		}
		words = append(words, w)
	}
	return strings.Join(words, "; ")
}

// TestPath sends probes one after another and compares what comes back.
func TestPath(t *testing.T) {
	const none = ""
	big := udp4(4)
	big.Size, big.DF = 1500, true
	bigger6 := udp6(4)
	bigger6.Size = 1500
	whole := udp4(4)
	whole.Size = 1500
	near := big
	near.TTL = 2
	elsewhere := udp4(2)
	elsewhere.Dst = elsewhere.Dst.Next()
	const steps = "hop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1\nhop 1 te from fd01::1\nmtu 1 1400\nmtu 3 1280 silent\n"
	for _, c := range []struct {
		name, script string
		probes       []frame.Probe
		want         []string
	}{
		{"the last choice stays", "hop 1 te from 10.1.1.1, lost, te from 10.1.1.2", []frame.Probe{udp4(1), udp4(1), udp4(1), udp4(1)},
			[]string{"11/0 10.1.1.1", none, "11/0 10.1.1.2", "11/0 10.1.1.2"}},
		{"cycle", "hop 1 te from 10.1.1.1, lost, cycle", []frame.Probe{udp4(1), udp4(1), udp4(1)},
			[]string{"11/0 10.1.1.1", none, "11/0 10.1.1.1"}},
		{"every TTL of a range has its own order", "hop 1-2 te from 10.1.1.1, lost", []frame.Probe{udp4(1), udp4(2), udp4(1), udp4(3)},
			[]string{"11/0 10.1.1.1", "11/0 10.1.1.1", none, "3/3 10.2.2.2"}},
		{"a later line replaces", "hop 1- silent\nhop 3 te from 10.1.3.1", []frame.Probe{udp4(2), udp4(3), udp4(4), udp4(255)},
			[]string{none, "11/0 10.1.3.1", none, none}},
		{"what names more wins", "hop 1 tcp 80 unreach 13 from 10.1.1.3\nhop 1 tcp unreach 1 from 10.1.1.2\nhop 1 te from 10.1.1.1",
			[]frame.Probe{udp4(1), tcp4(1, frame.FlagSYN), icmp4(1)}, []string{"11/0 10.1.1.1", "3/13 10.1.1.3", "11/0 10.1.1.1"}},
		{"families apart", "hop 1 te from 10.1.1.1\nhop 1 te from fd01::1", []frame.Probe{udp4(1), udp6(1), udp6(2)},
			[]string{"11/0 10.1.1.1", "3/0 fd01::1", "1/4 fd02:2::2"}},
		{"several replies", "hop 1 redirect 1 from 10.1.1.1 + te delay 20ms dup 1", []frame.Probe{udp4(1)},
			[]string{"5/1 10.1.1.1; 11/0 10.1.1.1 20ms; 11/0 10.1.1.1 20ms"}},
		{"defaults", "default delay 3ms\nhop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1 delay 0s", []frame.Probe{udp4(1), udp4(2)},
			[]string{"11/0 10.1.1.1 3ms", "11/0 10.1.2.1"}},
		{"arrive", "hop 1 lost, arrive\ndest udp 53 answer", []frame.Probe{udp4(1), udp4(1)}, []string{none, "3/3 10.2.2.2"}},
		{"ports", "dest udp 33435- unreach 13\ndest udp silent", []frame.Probe{udp4(1)}, []string{none}},
		{"any port", "dest tcp * synack", []frame.Probe{tcp4(1, frame.FlagSYN)}, []string{fmt.Sprintf("%d 10.2.2.2", frame.KindTCP)}},
		{"too big", steps, []frame.Probe{big, whole, near, bigger6},
			[]string{"3/4 10.1.1.1", "3/3 10.2.2.2", "3/4 10.1.1.1", "2/0 fd01::1"}},
		{"black hole", strings.Replace(steps, "mtu 1 1400", "hop 3-4 te from 10.1.4.1", 1), []frame.Probe{big, near, whole},
			[]string{none, "11/0 10.1.2.1", "11/0 10.1.4.1"}},
		{"no path to others", "hop 1- silent", []frame.Probe{elsewhere}, []string{"3/13 10.9.9.254"}},
		{"all lost by chance", "hop 1 te from 10.1.1.1 loss 100%", []frame.Probe{udp4(1)}, []string{none}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := responder(t, c.script)
			var got []string
			for _, p := range c.probes {
				got = append(got, say(respond(r, build(t, p))))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRate(t *testing.T) {
	r := responder(t, "hop 1- te from 10.1.1.1 rate 10/s burst 2")
	var got []int
	// Two at once, then one in 100 ms, wherever the clock starts.
	for _, at := range []time.Duration{0, 1, 2, 99, 101, 102, 400, 401, 402, 403} {
		frames, _ := r.Respond(time.Hour+at*ms, build(t, udp4(1)), nil)
		got = append(got, len(frames))
	}
	if diff := cmp.Diff([]int{1, 1, 0, 0, 1, 0, 1, 1, 0, 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := r.Counters(); c.Suppressed["rate"] != 5 || c.Answered["te"] != 5 {
		t.Errorf("counters %+v: want 5 suppressed and 5 te", c)
	}
}

// TestChance checks that one seed gives one fate, and that it is about right.
func TestChance(t *testing.T) {
	fate := func(seed int) (fates string, answered int) {
		r := responder(t, fmt.Sprintf("seed %d\nhop 1 te from 10.1.1.1 loss 30%% delay 1ms..5ms", seed))
		for range 1000 {
			frames := respond(r, build(t, udp4(1)))
			fates += say(frames)
			answered += len(frames)
			if len(frames) > 0 && (frames[0].After < ms || frames[0].After > 5*ms) {
				t.Fatalf("delay %v is not within 1ms..5ms", frames[0].After)
			}
		}
		return fates, answered
	}
	a, n := fate(1)
	if b, _ := fate(1); a != b {
		t.Error("the same seed gave another run")
	}
	if b, _ := fate(2); a == b {
		t.Error("another seed gave the same run")
	}
	if n < 600 || n > 800 {
		t.Errorf("%d of 1000 answered, want about 700", n)
	}
}
