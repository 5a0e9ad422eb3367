package survey

// walks are the traces under way, by their numbers. Memory is taken for as many
// as there are at a time, and used again.
type walks struct {
	oldest, next uint64       // numbers of the traces from the oldest one under way
	limit        uint64       // of those from oldest to next
	blocks       []*walkBlock // by number, in a ring; nil where none is under way
	free         []*walkBlock
}

// walkBlock is traces beside each other.
type walkBlock [walksPerBlock]walk

const walksPerBlock = 1 << 9

func newWalks(limit uint64) walks {
	// The first and the last block may be part of what is under way.
	n := uint64(1)
	for n*walksPerBlock < limit+walksPerBlock {
		n *= 2
	}
	return walks{limit: limit, blocks: make([]*walkBlock, n)}
}

// full tells that there can be no further one before the oldest is finished.
func (a *walks) full() bool { return a.next-a.oldest == a.limit }

// block gives the place of a trace's block.
func (a *walks) block(trace uint64) **walkBlock {
	return &a.blocks[trace/walksPerBlock&uint64(len(a.blocks)-1)]
}

// walk gives that of a trace from oldest to next-1.
func (a *walks) walk(trace uint64) *walk { return &(*a.block(trace))[trace%walksPerBlock] }

// add adds that of the trace next. There must be room.
func (a *walks) add(w walk) {
	b := a.block(a.next)
	if *b == nil {
		if n := len(a.free); n > 0 {
			*b, a.free = a.free[n-1], a.free[:n-1]
		} else {
			*b = new(walkBlock)
		}
	}
	(*b)[a.next%walksPerBlock] = w
	a.next++
}

// underWay gives the walk of a trace that is not finished, else nil.
func (a *walks) underWay(trace uint64) *walk {
	if trace < a.oldest || trace >= a.next {
		return nil
	}
	if w := a.walk(trace); w.state&walking != 0 {
		return w
	}
	return nil
}

// settle moves oldest on to one that is not finished.
func (a *walks) settle() {
	for a.oldest < a.next && a.walk(a.oldest).state == 0 {
		a.oldest++
		if a.oldest%walksPerBlock == 0 {
			b := a.block(a.oldest - 1)
			a.free = append(a.free, *b)
			*b = nil
		}
	}
}
