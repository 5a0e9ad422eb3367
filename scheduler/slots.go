package scheduler

// slotted makes slots for a Sender that has none. They never run out: who fills
// them stops at the size of a batch.
type slotted struct {
	sender  Sender
	buffers [][]byte // one for each frame, with room for more
	frames  [][]byte // filled, oldest first
	left    int      // how many of them have left
}

// Slot implements SlotSender.
func (s *slotted) Slot(n int) []byte {
	if s.left == len(s.frames) {
		s.frames, s.left = s.frames[:0], 0
	}
	i := len(s.frames)
	if i == len(s.buffers) {
		s.buffers = append(s.buffers, nil)
	}
	if len(s.buffers[i]) < n {
		s.buffers[i] = make([]byte, n)
	}
	f := s.buffers[i][:n:n]
	s.frames = append(s.frames, f)
	return f
}

// Flush implements SlotSender.
func (s *slotted) Flush() (int, error) {
	if s.left == len(s.frames) {
		return 0, nil
	}
	n, err := s.sender.Send(s.frames[s.left:])
	s.left += n
	return n, err
}

// Drop implements SlotSender.
func (s *slotted) Drop() { s.left = len(s.frames) }
