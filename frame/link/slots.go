package link

// Slots is where frames leave from: buffers are lent, filled and flushed. It is
// for one goroutine. A Sender of any kind is one.
type Slots interface {
	// Slot lends the next free buffer of n bytes, 1 or more, nil when none is
	// free: flush, or ask again later where nothing waits. The caller writes all
	// n bytes before Flush, beginning with the Envelope's link header, whose
	// destination may be anything. The buffer is the sender's again when Flush
	// has sent it or Drop forgotten it.
	//
	// A length that cannot be sent is lent all the same, and refused by Flush.
	Slot(n int) []byte
	// Flush sends the filled slots, oldest first, and returns how many left.
	// Fewer than all with a nil error is back-pressure: the rest stays first in
	// line for the next Flush. An error unwraps to the errno and concerns the
	// first that did not leave; it stays first in line too, those behind it
	// were not tried. EMSGSIZE is for frames longer than the interface or the
	// sender takes, EINVAL for those shorter than a link header.
	//
	// What left stays readable until the next Slot or Close, with the
	// destination's link address in it.
	Flush() (n int, err error)
	// Drop forgets the slots that have not left.
	Drop()
}

// lenderSlots is how many slots a lender has: one system call's worth.
const lenderSlots = batchLen

// lender lends slots that are ordinary memory. The zero value is ready.
type lender struct {
	frames [][]byte // lent since the last time that all had left
	next   int      // first frame that has not left
	memory [][]byte // of frames[i], at least as long
}

// slot lends a buffer, nil when all wait.
func (l *lender) slot(n int) []byte {
	switch {
	case l.next == len(l.frames):
		l.frames, l.next = l.frames[:0], 0
	case len(l.frames) == lenderSlots:
		if l.next == 0 {
			return nil
		}
		l.moveUp()
	}
	i := len(l.frames)
	if i == len(l.memory) {
		l.memory = append(l.memory, nil)
	}
	if cap(l.memory[i]) < n {
		l.memory[i] = make([]byte, n)
	}
	f := l.memory[i][:n:n]
	l.frames = append(l.frames, f)
	return f
}

// moveUp brings those that wait to the front. The memory of those that left
// goes behind them.
func (l *lender) moveUp() {
	for i := l.next; i < len(l.frames); i++ {
		to := i - l.next
		l.frames[to] = l.frames[i]
		l.memory[to], l.memory[i] = l.memory[i], l.memory[to]
	}
	l.frames, l.next = l.frames[:len(l.frames)-l.next], 0
}

// waiting gives the frames that have not left.
func (l *lender) waiting() [][]byte { return l.frames[l.next:] }

// sent notes that n more have left.
func (l *lender) sent(n int) { l.next += n }

// drop forgets those that wait and tells how many they are.
func (l *lender) drop() int {
	n := len(l.waiting())
	l.frames, l.next = l.frames[:0], 0
	return n
}
