package sink

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// key names a trace.
type key struct {
	index uint64
	flow  uint16
}

// collector puts traces together until they are finished.
type collector struct {
	open    map[key]*record.Trace
	free    []*record.Trace
	emit    func(*record.Trace)
	written uint64
	late    uint64 // replies that came after their trace was written
	known   bool   // every probe is told of: what has no open trace is written already
	resumed bool   // probes may be sent once more that are known
}

func newCollector(emit func(*record.Trace)) collector {
	return collector{open: map[key]*record.Trace{}, emit: emit}
}

// take adds what is in a batch. Where every probe is told of, a reply without an
// open trace is one of a trace that is written already; else no trace is before
// the end.
func (c *collector) take(b *batch) {
	for i := range b.sent {
		s := &b.sent[i]
		t := c.trace(s.key)
		t.Target, t.SrcPort = s.target, s.srcPort
		if !c.resumed || !again(t, &s.Probe) {
			t.Probes = append(t.Probes, s.Probe)
		}
	}
	for i := range b.replies {
		r := &b.replies[i]
		k := key{r.Index, r.Flow}
		t, ok := c.open[k]
		switch {
		case !ok && c.known:
			c.late++
			continue
		case !ok:
			t = c.trace(k)
		}
		t.Target, t.SrcPort = r.Target, r.SrcPort
		t.Replies = append(t.Replies, *r)
		t.Replies[len(t.Replies)-1].Ext = bytes.Clone(r.Ext)
	}
}

// again puts a probe that a run before this one had in flight in its place, if
// there is one.
func again(t *record.Trace, p *record.Probe) bool {
	for i := range t.Probes {
		if old := &t.Probes[i]; old.TTL == p.TTL && old.Attempt == p.Attempt {
			*old = *p
			return true
		}
	}
	return false
}

// trace gives an open trace, which it may have to begin.
func (c *collector) trace(k key) *record.Trace {
	t := c.open[k]
	if t != nil {
		return t
	}
	if n := len(c.free); n > 0 {
		t, c.free = c.free[n-1], c.free[:n-1]
	} else {
		t = new(record.Trace)
	}
	*t = record.Trace{Index: k.index, Flow: k.flow, Probes: t.Probes[:0], Replies: t.Replies[:0]}
	c.open[k] = t
	return t
}

// finish writes a trace that is complete.
func (c *collector) finish(k key, stop record.Stop) {
	t := c.open[k]
	if t == nil {
		return
	}
	delete(c.open, k)
	t.Stop = reason(t, stop)
	c.write(t)
	c.free = append(c.free, t)
}

// reason is why a trace stopped, where the strategy knows no more than that its
// last probe is settled.
func reason(t *record.Trace, stop record.Stop) record.Stop {
	if stop != record.MaxTTL {
		return stop
	}
	for i := range t.Replies {
		switch r := &t.Replies[i]; {
		case r.Arrived():
			return record.Reached
		case r.Final():
			stop = record.Unreachable
		}
	}
	return stop
}

func (c *collector) write(t *record.Trace) {
	slices.SortFunc(t.Probes, func(a, b record.Probe) int {
		return cmp.Or(cmp.Compare(a.TTL, b.TTL), cmp.Compare(a.Attempt, b.Attempt))
	})
	slices.SortStableFunc(t.Replies, func(a, b record.Reply) int {
		return cmp.Or(cmp.Compare(a.TTL, b.TTL), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.At, b.At))
	})
	c.written++
	c.emit(t)
}

// rest writes the traces that were never finished, in order. Of a complete run
// those are all there are where the strategy keeps no account of them.
func (c *collector) rest(complete bool) {
	stop := record.Unfinished
	if complete {
		stop = record.MaxTTL
	}
	keys := make([]key, 0, len(c.open))
	for k := range c.open {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.flow, b.flow)) })
	for _, k := range keys {
		c.finish(k, stop)
	}
}
