package scheduler

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hopquote/hopquote/rx"
)

// paced runs a Rate for a while under a clock that moves while probes are sent,
// by cost each, and where stall says so. It gives the send times and how many
// sleeps there were, and fails where one is too short.
func paced(t *testing.T, rate float64, whole, cost time.Duration, batch int, stall func(sent int) time.Duration) ([]time.Duration, int) {
	t.Helper()
	r := Rate{PerSecond: rate}
	const start = 1234567 * time.Microsecond
	now, end, sleeps := start, start+whole, 0
	var sent []time.Duration
	for now < end {
		n, due := r.Ready(now)
		if n == 0 {
			if due < now+minRest {
				t.Fatalf("a sleep of %v at %v", due-now, now)
			}
			sleeps++
			now = due
			continue
		}
		after := now + time.Duration(min(n, batch))*cost
		for range min(n, batch) {
			r.Sent(after)
			sent = append(sent, now)
		}
		now = after
		if stall != nil {
			now += stall(len(sent))
		}
	}
	return sent, sleeps
}

// most is the most sends in any time of the given length, and least the fewest
// in one between the first and the last.
func most(sent []time.Duration, length time.Duration) (greatest, least int) {
	least = math.MaxInt
	from := 0
	for i, at := range sent {
		for sent[from] <= at-length {
			from++
		}
		greatest = max(greatest, i-from+1)
	}
	to := 0
	for i, at := range sent {
		for to < len(sent) && sent[to] < at+length {
			to++
		}
		if to == len(sent) {
			break
		}
		least = min(least, to-i)
	}
	return greatest, least
}

// share is the most that may leave in 10 ms.
func share(rate float64) int {
	return int(math.Ceil(rate / 100 * 1.05))
}

func TestRateHolds(t *testing.T) {
	for _, rate := range []float64{3, 99.5, 1000, 1700, 10_000, 200_000, 333_333} {
		for _, cost := range []time.Duration{0, 2500 * time.Nanosecond} {
			t.Run(fmt.Sprintf("%v/%v", rate, cost), func(t *testing.T) {
				sent, sleeps := paced(t, rate, 3*time.Second, cost, 64, nil)
				greatest, least := most(sent, time.Second)
				if high, low := rate*1.01+1, rate*0.99-1; float64(greatest) > high || float64(least) < low {
					t.Errorf("%d to %d in a second", least, greatest)
				}
				if n, _ := most(sent, 10*time.Millisecond); n > share(rate) {
					t.Errorf("%d in 10 ms", n)
				}
				if n, _ := most(sent, 1); float64(n) > rate*0.003+1 {
					t.Errorf("%d at once", n)
				}
				limit := min(3000, max(rate/40, 500)*3, 3*rate) + 2
				if cost > 0 {
					limit *= 1.25 // a round that takes long may be cut up
				}
				if float64(sleeps) > limit {
					t.Errorf("%d sleeps in 3 s", sleeps)
				}
			})
		}
	}
}

// A stall of 20 ms in each second is made up for, and never by a burst.
func TestRateAfterStalls(t *testing.T) {
	const rate = 50_000
	next := rate / 2
	sent, _ := paced(t, rate, 30*time.Second, time.Microsecond, 16, func(n int) time.Duration {
		if n < next || n > 20*rate {
			return 0
		}
		next += rate
		return 20 * time.Millisecond
	})
	if greatest, _ := most(sent, time.Second); greatest > rate*1.01 {
		t.Errorf("%d in a second", greatest)
	}
	if n, _ := most(sent, 10*time.Millisecond); n > rate*0.0105 {
		t.Errorf("%d in 10 ms", n)
	}
	// 20 stalls lost 12.5 ms each beyond the 7.5 that are soon made up for; 28 s at
	// 0.2 percent make up for 56 ms of them.
	lost := 0.020*20 - 0.0075*20 - 0.053
	if want := int(rate * (30 - lost)); len(sent) < want-rate/100 || len(sent) > 30*rate {
		t.Errorf("%d in 30 s, want %d or somewhat more", len(sent), want)
	}
}

// Wake-ups that come late, as they do on a busy machine, neither slow a run down
// nor make it send in bursts.
func TestRateLateWakeups(t *testing.T) {
	for _, rate := range []float64{100, 250, 400, 450, 500, 510, 550, 1000, 10_000, 50_000} {
		random := rand.New(rand.NewPCG(1, uint64(rate)))
		next := time.Duration(0)
		sent, _ := paced(t, rate, 30*time.Second, time.Microsecond, 64, func(n int) time.Duration {
			if at := time.Duration(float64(n) / rate * 1e9); at < next {
				return 0
			}
			next += 40 * time.Millisecond
			return time.Duration(random.IntN(6000)) * time.Microsecond
		})
		if greatest, least := most(sent, time.Second); float64(greatest) > rate*1.01+1 || float64(least) < rate*0.99-1 {
			t.Errorf("%v/s: %d to %d in a second", rate, least, greatest)
		}
		if n, _ := most(sent, 10*time.Millisecond); n > share(rate) {
			t.Errorf("%v/s: %d in 10 ms", rate, n)
		}
		if want := 30 * rate; math.Abs(float64(len(sent))-want) > want/1000 {
			t.Errorf("%v/s: %d in 30 s", rate, len(sent))
		}
	}
}

// Where every wake-up comes a little late, as they all do, the rate holds too,
// whatever the time between two probes is to that between two rounds.
func TestRateEachWakeupLate(t *testing.T) {
	const late = 100 * time.Microsecond
	for _, rate := range []float64{1, 20, 100, 250, 333, 400, 450, 490, 500, 501, 510, 550, 600, 999, 1000, 2000, 20_000} {
		r := Rate{PerSecond: rate}
		whole := max(10*time.Second, time.Duration(10/rate*1e9))
		var sent []time.Duration
		for now := time.Duration(0); now < whole; {
			n, due := r.Ready(now)
			if n == 0 {
				now = due + late
				continue
			}
			for range n {
				r.Sent(now)
				sent = append(sent, now)
			}
		}
		if want := rate * whole.Seconds(); math.Abs(float64(len(sent))-want) > want/1000+1 {
			t.Errorf("%v/s: %d in %v", rate, len(sent), whole)
		}
		if n, _ := most(sent, 10*time.Millisecond); n > share(rate) {
			t.Errorf("%v/s: %d in 10 ms", rate, n)
		}
	}
}

// What nobody wanted to send is not made up for.
func TestRateIdle(t *testing.T) {
	r := Rate{PerSecond: 1000}
	if n, _ := r.Ready(0); n != 1 {
		t.Fatalf("%d may leave at first, want 1", n)
	}
	r.Sent(0)
	r.Idle()
	n, _ := r.Ready(10 * time.Second)
	if n != 3 || r.debt != 0 {
		t.Errorf("after 10 idle seconds %d may leave, %v ns to make up for; want 3 and none", n, r.debt)
	}
}

// A rate that nothing can reach neither sleeps nor overflows.
func TestRateExtremes(t *testing.T) {
	r := Rate{PerSecond: 1e12}
	for now := time.Duration(0); now < time.Second; now += 100 * time.Microsecond {
		n, _ := r.Ready(now)
		if n < 1 {
			t.Fatalf("nothing may leave at %v", now)
		}
		r.Sent(now)
	}
	for _, rate := range []float64{1e-12, math.SmallestNonzeroFloat64} {
		slow := Rate{PerSecond: rate}
		if n, _ := slow.Ready(0); n != 1 {
			t.Errorf("%d may leave at first, want 1", n)
		}
		slow.Sent(0)
		if n, due := slow.Ready(time.Hour); n != 0 || due != Never {
			t.Errorf("%d may leave, due %v; want none, ever", n, due)
		}
	}
}

// times notes when frames leave.
type times struct{ sent []time.Duration }

func (o *times) FrameSent(at time.Duration, _ []byte) { o.sent = append(o.sent, at) }
func (o *times) FrameMatched(*rx.Packet, *rx.Match)   {}

// TestEngineRate has the engine itself send for 3 s: any second has its rate
// within 1 %, no 10 ms more than by a twentieth, and wake-ups are few.
func TestEngineRate(t *testing.T) {
	for _, rate := range []int{100, 1000, 10_000, 50_000, 200_000} {
		s, net, o := newSweep(3*rate), newEcho(), &times{}
		cfg := loopConfig(t, s, net)
		cfg.Rate, cfg.Batch, cfg.Observer = float64(rate), 0, o
		e := New(cfg)
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if greatest, least := most(o.sent, time.Second); greatest > rate*101/100 || least < rate*99/100 || len(o.sent) != 3*rate {
			t.Errorf("%d/s: %d probes, %d to %d in a second", rate, len(o.sent), least, greatest)
		}
		if n, _ := most(o.sent, 10*time.Millisecond); n > share(float64(rate)) {
			t.Errorf("%d/s: %d in 10 ms", rate, n)
		}
		if n, _ := most(o.sent, 1); n > 4 {
			t.Errorf("%d/s: %d share a send time", rate, n)
		}
		if limit := min(3000, max(rate/40, 500)*3) + 50; net.waits > limit {
			t.Errorf("%d/s: %d wake-ups in 3 s, want %d at most", rate, net.waits, limit)
		}
	}
}
