package scheduler

import "github.com/hopquote/hopquote/frame"

// holdings remembers by tag the probes whose identity is taken. It reuses its
// memory: a map of the probes themselves would allocate for each.
type holdings struct {
	byTag map[int]*frame.Probe
	free  []*frame.Probe
}

func newHoldings() holdings { return holdings{byTag: make(map[int]*frame.Probe)} }

// put remembers a copy of p.
func (h *holdings) put(tag int, p *frame.Probe) {
	var c *frame.Probe
	if n := len(h.free); n > 0 {
		c, h.free = h.free[n-1], h.free[:n-1]
	} else {
		c = new(frame.Probe)
	}
	*c = *p
	h.byTag[tag] = c
}

// take forgets the tag and gives its probe, valid until the next put; nil when
// there is none.
func (h *holdings) take(tag int) *frame.Probe {
	p, ok := h.byTag[tag]
	if !ok {
		return nil
	}
	delete(h.byTag, tag)
	h.free = append(h.free, p)
	return p
}
