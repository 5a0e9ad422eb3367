package link

var _ Slots = (*Sender)(nil)

// Slot lends a buffer, see Slots. A Sender has 256 of them, 1024 with TxXDP.
func (s *Sender) Slot(n int) []byte {
	var f []byte
	if s.xdp != nil && len(s.slots.waiting()) == 0 && s.resolved() {
		f = s.xdp.slot(n)
	} else {
		f = s.slots.slot(n)
	}
	if f == nil {
		s.counts.NoRoom++
	}
	return f
}

// Flush sends the filled slots, see Slots. While the next hop is unresolved they
// are copied and queued as with Send.
func (s *Sender) Flush() (n int, err error) {
	// Slots that were lent before the next hop was known are the older ones,
	// and xdp lends none before they are gone.
	frames := s.slots.waiting()
	asked := len(frames)
	if asked > 0 {
		n, err = s.send(frames)
		s.slots.sent(n)
	} else if s.xdp != nil {
		asked = s.xdp.waiting()
		if n, err = s.xdp.flush(s.addresses()); err != nil { // it has lent none before they were known
			err = sendError(err)
		}
	}
	s.counts.add(n, asked, err)
	return n, err
}

// Drop forgets the slots that have not left.
func (s *Sender) Drop() {
	n := s.slots.drop()
	if s.xdp != nil {
		n += s.xdp.drop()
	}
	s.counts.Dropped += uint64(n)
}

// Counts is what became of frames, and of calls.
type Counts struct {
	Sent        uint64 // frames reported as having left, queued ones included
	Undelivered uint64 // those of Sent that never did: their next hop did not resolve, or the wire refused them later
	Dropped     uint64 // slots that Drop forgot
	Refused     uint64 // calls that ended with an error
	NoRoom      uint64 // calls that ended with back-pressure
}

// add counts a call that sent n of the frames it was asked to.
func (c *Counts) add(n, asked int, err error) {
	c.Sent += uint64(n)
	switch {
	case err != nil:
		c.Refused++
	case n < asked:
		c.NoRoom++
	}
}

// Counts gives the counts so far. All slots that were lent are Sent, Dropped or
// waiting.
func (s *Sender) Counts() Counts {
	c := s.counts
	for i := range s.hops {
		if q := s.hops[i].queue; q != nil {
			c.Undelivered += q.lost.Load()
		}
	}
	if s.xdp != nil {
		c.Undelivered += s.xdp.unnoticed()
	}
	return c
}
