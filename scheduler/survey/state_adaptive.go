package survey

import (
	"fmt"
	"math"
	"slices"

	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Save appends what is known: the traces under way, the hops and the distances.
// A trace tells itself which of its probes are out.
func (a *Adaptive) Save(b []byte, aloft []int) []byte {
	a.catchUp()
	b = slices.Grow(b, 64+8*int(a.next-a.oldest)+8*a.known.n+len(a.far.known))
	b = pack.Uint(b, a.oldest)
	b = pack.Uint(b, a.next)
	b = pack.Uint(b, a.closed)
	b = pack.Uint(b, a.sent-uint64(min(len(aloft), int(a.sent))))
	for trace := a.oldest; trace < a.next; trace++ {
		w := a.walk(trace)
		b = append(b, w.back, w.ahead, w.start, w.top, w.silent, w.tries, uint8(w.stop), w.state)
	}
	b = pack.Uint(b, uint64(a.known.n))
	a.known.each(func(key uint64) { b = pack.Fixed(b, key) })
	b = pack.Float(b, a.far.average)
	return pack.Bytes(b, a.far.known)
}

// Restore takes it in.
func (a *Adaptive) Restore(data []byte) error {
	if a.next != 0 {
		return errUsed
	}
	in := pack.NewReader(data)
	oldest := in.Uint(a.all)
	next := in.Uint(a.all)
	a.closed = in.Uint(next)
	a.sent = in.Uint(math.MaxUint64)
	if next < oldest || next-oldest > a.limit {
		in.Fail(fmt.Errorf("traces %d to %d are under way", oldest, next))
	}
	a.oldest, a.next = oldest, oldest
	for a.next < next && in.Err() == nil {
		a.restoreWalk(in)
	}
	for range in.Count(8) {
		a.known.put(in.Fixed())
	}
	a.far.restore(in)
	return damaged(in.End())
}

// restoreWalk takes in the next trace, and asks for the probes that it waits
// for.
func (a *Adaptive) restoreWalk(in *pack.Reader) {
	v := in.Next(8)
	if v == nil {
		return
	}
	w := walk{back: v[0], ahead: v[1], start: v[2], top: v[3], silent: v[4], tries: v[5], stop: Stop(v[6]), state: v[7]}
	if !w.sound(&a.Config) {
		in.Fail(fmt.Errorf("trace %d is %v", a.next, v))
		return
	}
	a.ask(a.next, &w)
	a.add(w)
}

// sound tells whether a walk could have come about. One that is not finished
// waits for something.
func (w *walk) sound(c *Config) bool {
	in := func(ttl uint8) bool { return ttl >= c.First && ttl <= c.Max }
	const ways = backOut | aheadOut
	switch {
	case w.state == 0:
		return true
	case w.state > walking|ways|jumped || w.state&walking == 0 || w.state&ways == 0 || w.stop > LastTTL || !in(w.start):
	case w.state&backOut != 0 && (!in(w.back) || w.attempt(backward) >= c.Attempts):
	case w.state&aheadOut != 0 && (!in(w.ahead) || w.attempt(forward) >= c.Attempts):
	default:
		return true
	}
	return false
}

// restore takes distances in.
func (d *distances) restore(in *pack.Reader) {
	d.average = in.Float()
	known := in.Bytes()
	switch {
	case in.Err() != nil:
	case len(known) != len(d.known) || !(d.average >= 0 && d.average <= MaxTTL):
		in.Fail(fmt.Errorf("%d distances of %f on average", len(known), d.average))
	default:
		copy(d.known, known)
	}
}
