package scheduler

import (
	"fmt"

	"github.com/hopquote/hopquote/frame"
)

// outbox takes the planned probes of a pass to the sender's slots, oldest first.
// A probe that is cut into fragments owns several frames and has left when the
// last of them has.
type outbox struct {
	slots     SlotSender
	templates templates
	queue     []planned
	built     int      // probes of the queue whose frames are in slots or left
	left      int      // probes of the queue that have left
	frames    []framed // those in slots, oldest first
	gone      int      // how many of frames have left
	failed    int      // 1 when the next one was refused with an error
	counts    FrameCounts

	// Of a probe that is cut: the fragments without a slot yet.
	pieces    [][]byte
	whole     []byte
	fragments []byte
}

// framed is a frame in a slot.
type framed struct {
	data  []byte
	probe int  // in the queue
	last  bool // the probe's last frame
}

// FrameCounts balances the frames of a run: at its end Built == Sent + Failed +
// Unsent.
type FrameCounts struct {
	Built  uint64 // put into a slot of the sender's
	Sent   uint64
	Failed uint64 // refused with an error, which ends the run
	Unsent uint64 // still waiting when the run ended
	// Held is how often the sender took fewer frames than stood ready: it was
	// asked again, and nothing was lost.
	Held uint64
}

// Add adds the numbers of another run.
func (c *FrameCounts) Add(o *FrameCounts) {
	c.Built += o.Built
	c.Sent += o.Sent
	c.Failed += o.Failed
	c.Unsent += o.Unsent
	c.Held += o.Held
}

// empty tells whether everything has left.
func (o *outbox) empty() bool { return o.built == len(o.queue) && o.gone == len(o.frames) }

// fill builds frames until all probes are done or the slots run out.
func (o *outbox) fill(mtu int) error {
	if o.gone == len(o.frames) {
		o.frames, o.gone = o.frames[:0], 0
	}
	for ; o.built < len(o.queue); o.built++ {
		p := &o.queue[o.built]
		if p.skip {
			continue
		}
		if p.cut {
			done, err := o.fillPieces(p, mtu)
			if err != nil {
				return err
			}
			if !done {
				return nil
			}
			continue
		}
		t, err := o.templates.find(&p.probe)
		if err != nil {
			return err
		}
		f := o.slots.Slot(t.Len())
		if f == nil {
			return nil
		}
		if t.Put(f, &p.probe) == 0 {
			return fmt.Errorf("build probe: destination %s is not of the family of %s", p.probe.Dst, p.probe.Src)
		}
		o.frames = append(o.frames, framed{f, o.built, true})
		o.counts.Built++
	}
	return nil
}

// fillPieces does it for a probe that is cut, and tells whether all of its
// fragments have a slot.
func (o *outbox) fillPieces(p *planned, mtu int) (bool, error) {
	if len(o.pieces) == 0 {
		t, err := o.templates.find(&p.probe)
		if err != nil {
			return false, err
		}
		if len(o.whole) < t.Len() {
			o.whole = make([]byte, t.Len())
		}
		whole := o.whole[:t.Put(o.whole, &p.probe)]
		o.pieces, o.fragments, err = frame.Fragments(
			o.pieces, o.fragments[:0], whole, o.templates.link.Type, mtu, uint32(p.probe.ID))
		if err != nil {
			return false, err
		}
	}
	for len(o.pieces) > 0 {
		f := o.slots.Slot(len(o.pieces[0]))
		if f == nil {
			return false, nil
		}
		copy(f, o.pieces[0])
		o.pieces = o.pieces[1:]
		o.frames = append(o.frames, framed{f, o.built, len(o.pieces) == 0})
		o.counts.Built++
	}
	return true, nil
}

// flush sends what is in slots, and gives the frames that left, valid until the
// next fill.
func (o *outbox) flush() ([]framed, error) {
	n, err := o.slots.Flush()
	waiting := o.frames[o.gone:]
	if s, ok := o.slots.(*slotted); ok {
		// The sender may have put others in the place of the frames that left.
		for i := range waiting[:n] {
			waiting[i].data = s.frames[o.gone+i]
		}
	}
	o.gone += n
	o.counts.Sent += uint64(n)
	switch {
	case err != nil:
		o.failed = 1
		o.counts.Failed++
	case n < len(waiting) || n == 0:
		o.counts.Held++
	}
	return waiting[:n], err
}

// load takes the probes of a pass in. Nothing may be left of the pass before.
func (o *outbox) load(queue []planned) {
	o.queue, o.built, o.left = queue, 0, 0
}

// drop forgets the probes that have not left, and calls f for each.
func (o *outbox) drop(f func(*planned)) {
	for ; o.left < len(o.queue); o.left++ {
		if p := &o.queue[o.left]; !p.skip {
			f(p)
		}
	}
	o.slots.Drop()
	o.counts.Unsent += uint64(len(o.frames) - o.gone - o.failed)
	o.frames, o.gone, o.failed, o.pieces = o.frames[:0], 0, 0, nil
	o.load(nil)
}
