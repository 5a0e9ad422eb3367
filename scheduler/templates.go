package scheduler

import "github.com/hopquote/hopquote/frame"

// templates keeps the templates that probes were built from. Nearly all probes
// have the shape of one of the last few, which are compared field by field;
// hashing a shape costs more than building a frame.
type templates struct {
	link   frame.Link
	recent [recentShapes]recent
	next   int // place in recent to reuse
	all    map[frame.Probe]*frame.Template
}

type recent struct {
	shape    frame.Probe
	template *frame.Template
}

const (
	// recentShapes is for both families, and fragments or two methods beside.
	recentShapes = 4
	// maxTemplates bounds the cache; a run that goes through more shapes builds
	// them again.
	maxTemplates = 4096
)

// find gives the template of p's shape.
func (t *templates) find(p *frame.Probe) (*frame.Template, error) {
	for i := range t.recent {
		if r := &t.recent[i]; r.template != nil && p.SameShape(&r.shape) {
			return r.template, nil
		}
	}
	shape := p.Shape()
	found, ok := t.all[shape]
	if !ok {
		var err error
		if found, err = frame.NewTemplate(t.link, p); err != nil {
			return nil, err
		}
		if t.all == nil || len(t.all) >= maxTemplates {
			t.all = make(map[frame.Probe]*frame.Template)
		}
		t.all[shape] = found
	}
	t.recent[t.next] = recent{shape, found}
	t.next = (t.next + 1) % recentShapes
	return found, nil
}
