package scheduler

import (
	"github.com/hopquote/hopquote/frame"
)

// outbox holds the frames that stand ready for the sender, oldest first. A
// probe that was cut into fragments owns several frames and has left when the
// last of them has.
type outbox struct {
	templates map[shape]*frame.Template
	frames    [][]byte
	owners    []owner // one for each frame
	next      int     // first frame that has not left
	slots     [][]byte
	used      int
	fragments []byte
}

type owner struct {
	planned
	last bool // the probe's last frame
	cut  bool // into fragments
}

// shape is what a template fixes.
type shape struct {
	link  frame.Link
	probe frame.Probe
}

// maxTemplates bounds the template cache; a run that goes through more flows
// builds them again.
const maxTemplates = 4096

func (o *outbox) empty() bool       { return o.next == len(o.frames) }
func (o *outbox) waiting() [][]byte { return o.frames[o.next:] }

// waitingProbe is the probe of waiting()[i].
func (o *outbox) waitingProbe(i int) *frame.Probe { return &o.owners[o.next+i].probe }

func (o *outbox) reset() {
	o.frames, o.owners, o.next = o.frames[:0], o.owners[:0], 0
	o.used, o.fragments = 0, o.fragments[:0]
}

// add builds the probe's frame, or its fragments where it exceeds the MTU.
func (o *outbox) add(link frame.Link, mtu, tag int, p *frame.Probe) error {
	t, err := o.template(link, p)
	if err != nil {
		return err
	}
	f := o.slot(t.Len())
	t.Put(f, p)
	from := len(o.frames)
	if mtu > 0 && t.Len()-link.Type.HeaderLen() > mtu {
		o.frames, o.fragments, err = frame.Fragments(o.frames, o.fragments, f, link.Type, mtu, uint32(p.ID))
		if err != nil {
			return err
		}
	} else {
		o.frames = append(o.frames, f)
	}
	cut := len(o.frames)-from > 1
	for i := from; i < len(o.frames); i++ {
		o.owners = append(o.owners, owner{planned{tag, *p}, i == len(o.frames)-1, cut})
	}
	return nil
}

// sent notes that n more frames have left, and calls f for each probe that is
// complete with them, telling whether it went in fragments.
func (o *outbox) sent(n int, f func(tag int, p *frame.Probe, cut bool)) {
	for range n {
		if w := &o.owners[o.next]; w.last {
			f(w.tag, &w.probe, w.cut)
		}
		o.next++
	}
}

// drop forgets the frames that have not left, and calls f for each probe that
// was not complete.
func (o *outbox) drop(f func(p *frame.Probe)) {
	for ; o.next < len(o.owners); o.next++ {
		if w := &o.owners[o.next]; w.last {
			f(&w.probe)
		}
	}
	o.reset()
}

func (o *outbox) template(link frame.Link, p *frame.Probe) (*frame.Template, error) {
	key := shape{link, p.Shape()}
	if t, ok := o.templates[key]; ok {
		return t, nil
	}
	t, err := frame.NewTemplate(link, p)
	if err != nil {
		return nil, err
	}
	if o.templates == nil || len(o.templates) >= maxTemplates {
		o.templates = make(map[shape]*frame.Template)
	}
	o.templates[key] = t
	return t, nil
}

// slot lends a buffer of n bytes until the next reset.
func (o *outbox) slot(n int) []byte {
	if o.used == len(o.slots) {
		o.slots = append(o.slots, nil)
	}
	b := &o.slots[o.used]
	o.used++
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	return (*b)[:n]
}
