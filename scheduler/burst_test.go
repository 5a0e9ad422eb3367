package scheduler

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// rough runs a Rate under a clock of its own for a while in which every wake-up
// comes late, calls of the sender take their time and both are held up now and
// then, for up to longest. It gives when probes left, and how much longer than
// 1 ms it was held up in all.
func rough(seed uint64, rate float64, whole, longest time.Duration) (sent []time.Duration, held time.Duration) {
	random := rand.New(rand.NewPCG(seed, uint64(rate)))
	stall := func() (d time.Duration) {
		if longest > 0 && random.IntN(200) == 0 {
			d = time.Duration(random.Int64N(int64(longest)))
			held += max(d-time.Millisecond, 0)
		}
		return d
	}
	r := Rate{PerSecond: rate}
	batch := batchFor(rate)
	step := min(3*time.Microsecond, time.Duration(r.interval()/3))
	for now := time.Duration(random.Int64N(1e12)); len(sent) == 0 || now < sent[0]+whole; {
		n, due := r.Ready(now)
		if n == 0 {
			now = due + time.Duration(random.IntN(100_000)) + stall()
			continue
		}
		n = min(n, batch)
		// A stall anywhere in the call: probes leave before it or behind it.
		before, hold := random.IntN(n+1), stall()
		at := now
		now += time.Duration(n)*step + hold
		for i := range n {
			if i == before {
				at += hold
			}
			sent = append(sent, at)
			at += step
			r.Sent(now)
		}
	}
	return sent, held
}

// However a run is held up, no 10 ms get more than their share and a twentieth,
// where that is no whole number the next one, and no second more than 1 % above
// its share.
func TestRateNeverBursts(t *testing.T) {
	for _, rate := range []float64{3, 99.5, 100, 333, 450, 500, 999, 1000, 1700, 10_000, 50_000, 200_000} {
		for _, longest := range []time.Duration{0, 3 * time.Millisecond, 15 * time.Millisecond, 300 * time.Millisecond} {
			seed := uint64(longest)
			whole := time.Duration(min(20, max(2.5, 50_000/rate)) * float64(time.Second))
			sent, held := rough(seed, rate, whole, longest)
			if n, _ := most(sent, burstWindow); n > share(rate) {
				t.Errorf("%v/s, stalls of up to %v: %d in 10 ms, want %d at most", rate, longest, n, share(rate))
			}
			// A second may begin within a probe, and with one that a stall held back
			// on its way.
			greatest, least := most(sent, time.Second)
			if float64(greatest) > rate*1.01+2 {
				t.Errorf("%v/s, stalls of up to %v: %d in a second", rate, longest, greatest)
			}
			if longest == 0 && float64(least) < rate*0.99-1 {
				t.Errorf("%v/s: %d in a second", rate, least)
			}
			// What is lost is lost to stalls.
			if want := rate*(whole-held).Seconds()*0.995 - 5; float64(len(sent)) < want {
				t.Errorf("%v/s, stalls of up to %v, %v in all: %d in %v, want %.0f", rate, longest, held, len(sent), whole, want)
			}
			if again, _ := rough(seed, rate, whole, longest); len(again) != len(sent) || again[len(again)-1] != sent[len(sent)-1] {
				t.Errorf("%v/s, stalls of up to %v: two runs of a seed differ", rate, longest)
			}
		}
	}
}

// Departures are counted until burstWindow has passed since the last of their
// entry, however many there are.
func TestDepartures(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var d departures
		var all []time.Duration
		apart := int64(math.Exp2(8 + 16*random.Float64()))
		for now := time.Duration(0); len(all) < 5000; now += time.Duration(random.Int64N(apart)) {
			d.forget(now)
			d.add(now)
			all = append(all, now)
			within, around := 0, 0
			for i := len(all) - 1; i >= 0 && all[i] > now-burstWindow-grain; i-- {
				around++
				if all[i] > now-burstWindow {
					within++
				}
			}
			if d.n < within || d.n > around {
				t.Fatalf("%d left within the last 10 ms, want %d to %d", d.n, within, around)
			}
			if at := d.atMost(d.n); at != 0 {
				t.Fatalf("there will be %d at %v, and are", d.n, at)
			}
			half := d
			if at := d.atMost(within / 2); at > 0 {
				half.forget(at)
				if half.n > within/2 || at > now+burstWindow {
					t.Fatalf("%d left at %v, want %d at most", half.n, at, within/2)
				}
			}
		}
	}
}
