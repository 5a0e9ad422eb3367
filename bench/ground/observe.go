package ground

import (
	"sync"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// Truth is what a run sent and was answered, by the counters of the interface
// and of the simulated Internet.
type Truth struct {
	Asked, Answered uint64 // probes
	Silent          uint64 // of those asked: that ended at somebody who never answers, on rough ground
	Duplicated      uint64 // of those answered: twice
	Other           uint64 // frames that were no probes: ARP, what is malformed or foreign
	Left            uint64 // frames that left by the prober's interface
	Failed          uint64 // replies that the kernel did not take

	// Rates of the probes that came in, in windows of 100 ms: the median and the
	// largest. A run shorter than three windows has its mean for both.
	Rate, TopRate float64
	// Took is from the first probe to the last, about.
	Took time.Duration
}

// Replies is how many the prober was sent.
func (t *Truth) Replies() uint64 { return t.Answered + t.Duplicated }

// Unanswered is how many probes should have been answered and were not.
func (t *Truth) Unanswered() uint64 {
	if due := t.Asked - t.Silent; due > t.Answered {
		return due - t.Answered
	}
	return 0
}

// Lost is how many frames left and never came to the simulated Internet: those
// that a queue on the way had no room for.
func (t *Truth) Lost() uint64 {
	seen := t.Asked + t.Other
	if t.Left < seen {
		return 0
	}
	return t.Left - seen
}

const (
	window = 100 * time.Millisecond
	tick   = 5 * time.Millisecond
	// calm is how long the counters must stand still after a run, calmLimit how
	// long that is waited for.
	calm      = 30 * time.Millisecond
	calmLimit = 2 * time.Second
)

// Observe gives the truth of what f does.
func (g *Ground) Observe(f func() error) (Truth, error) {
	var t Truth
	before, err := g.Counters()
	if err != nil {
		return t, err
	}
	sent, err := g.Sent()
	if err != nil {
		return t, err
	}
	w := g.watch()
	ferr := f()
	after, cerr := g.settle()
	w.stop()
	if ferr != nil {
		return t, ferr
	}
	if cerr != nil {
		return t, cerr
	}
	sentAfter, err := g.Sent()
	if err != nil {
		return t, err
	}
	a, b := after.Total(), before.Total()
	t.Asked, t.Answered, t.Duplicated = a.Asked-b.Asked, a.Answered-b.Answered, a.Duplicated-b.Duplicated
	t.Silent = a.Silent - b.Silent
	t.Other = others(&after) - others(&before)
	if !g.Config.Rough {
		// Every destination and router answers: what gets no answer are segments
		// that the kernel sends by itself, such as the resets after a SYN-ACK.
		t.Asked, t.Other, t.Silent = t.Asked-t.Silent, t.Other+t.Silent, 0
	}
	t.Failed = after.Failed - before.Failed
	t.Left = sentAfter.Sent - sent.Sent
	t.Rate, t.TopRate, t.Took = w.rates()
	return t, nil
}

func others(c *internet.Counters) uint64 {
	return c.Neighbours + c.Malformed + c.Fragments + c.Foreign
}

// settle waits until nothing is under way any more.
func (g *Ground) settle() (internet.Counters, error) {
	last, err := g.Counters()
	for end := time.Now().Add(calmLimit); err == nil && time.Now().Before(end); {
		time.Sleep(calm)
		var now internet.Counters
		if now, err = g.Counters(); now == last {
			break
		}
		last = now
	}
	return last, err
}

// point is what had been asked at a moment.
type point struct {
	at    time.Time
	asked uint64
}

// watcher reads the Internet's counter every tick.
type watcher struct {
	points []point
	end    chan struct{}
	task   sync.WaitGroup
}

func (g *Ground) watch() *watcher {
	w := &watcher{end: make(chan struct{})}
	look := func() {
		if c, err := g.Counters(); err == nil {
			w.points = append(w.points, point{time.Now(), c.Total().Asked})
		}
	}
	look()
	w.task.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				look()
			case <-w.end:
				look()
				return
			}
		}
	})
	return w
}

func (w *watcher) stop() {
	close(w.end)
	w.task.Wait()
}

// rates gives the median and the largest of the windows in which all but the
// first and the last hundredth of the probes came in: stragglers are no part of
// a prober's speed. Where the median tells nothing, because the run is short or
// comes in bursts, it is the mean.
func (w *watcher) rates() (median, top float64, took time.Duration) {
	p := w.body()
	if len(p) < 2 {
		return 0, 0, 0
	}
	took = p[len(p)-1].at.Sub(p[0].at)
	mean := float64(p[len(p)-1].asked-p[0].asked) / took.Seconds()
	var windows []float64
	for from := p[0]; len(p) > 0; p = p[1:] {
		if d := p[0].at.Sub(from.at); d >= window {
			rate := float64(p[0].asked-from.asked) / d.Seconds()
			windows = append(windows, rate)
			top, from = max(top, rate), p[0]
		}
	}
	if median = measure.Quantile(0.5, windows); len(windows) < 3 || median < mean/2 {
		return mean, max(top, mean), took
	}
	return median, top, took
}

// body is the part of the points that rates are taken from.
func (w *watcher) body() []point {
	p := w.points
	begin, end := p[0].asked, p[len(p)-1].asked
	margin := (end - begin) / 100
	for len(p) > 1 && p[1].asked <= begin+margin {
		p = p[1:]
	}
	for len(p) > 1 && p[len(p)-2].asked >= end-margin {
		p = p[:len(p)-1]
	}
	return p
}
