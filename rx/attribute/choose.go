package attribute

import (
	"bytes"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// choose picks the one of t.found that the quote is of. resent tells that
// there were several which differ in nothing.
func (t *Tracker) choose(q *anomaly.Header) (pos uint64, resent, ok bool) {
	if len(t.found) == 1 {
		return t.found[0], false, true
	}
	t.prefer(func(e *entry) bool {
		var p anomaly.Header
		p.Parse(t.window.bytes(e))
		return p.Offset == q.Offset && sameRest(&p, q)
	})
	t.prefer(func(e *entry) bool { return e.fields.length == int32(q.Length) })
	return t.chooseByTime()
}

// prefer keeps those of t.found that are good, if there are any.
func (t *Tracker) prefer(good func(*entry) bool) {
	if len(t.found) == 1 {
		return
	}
	n := 0
	for i, pos := range t.found {
		if good(t.window.at(pos)) {
			t.found[n], t.found[i] = t.found[i], t.found[n]
			n++
		}
	}
	if n > 0 {
		t.found = t.found[:n]
	}
}

// sameRest compares what is behind the first 8 transport bytes.
func sameRest(p, q *anomaly.Header) bool {
	n := min(len(p.Transport), len(q.Transport))
	return n <= 8 || bytes.Equal(p.Transport[8:n], q.Transport[8:n])
}

// chooseByTime picks from packets that nothing tells apart: the one that still
// waits for an answer and has not waited too long. Of several such only those
// are interchangeable that were sent with one TTL; then it is the last.
func (t *Tracker) chooseByTime() (pos uint64, resent, ok bool) {
	waiting := func(e *entry) bool { return e.answered == 0 && t.now-e.at <= int64(t.config.Wait) }
	t.prefer(waiting)
	if !waiting(t.window.at(t.found[0])) {
		t.prefer(func(e *entry) bool { return e.answered == 0 })
	}
	pos = t.found[0]
	ttl := t.window.at(pos).fields.ttl
	for _, other := range t.found[1:] {
		if t.window.at(other).fields.ttl != ttl {
			return 0, false, false
		}
		pos = max(pos, other)
	}
	return pos, len(t.found) > 1, true
}
