package survey

import (
	"errors"
	"fmt"
	"math"

	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Save appends what is known: the blocks under way, and the probes to be sent
// once more.
func (f *Full) Save(b []byte, aloft []int) []byte {
	b = pack.Uint(b, f.next)
	b = pack.Uint(b, f.sent-uint64(len(aloft)))
	b = pack.Uint(b, uint64(len(f.blocks)))
	for i := range f.blocks {
		k := &f.blocks[i]
		b = pack.Uint(pack.Uint(pack.Uint(b, k.first), k.sent), k.open)
	}
	return f.saveTags(b, aloft, &f.again)
}

// Restore takes it in.
func (f *Full) Restore(data []byte) error {
	if f.next != 0 {
		return errUsed
	}
	in := pack.NewReader(data)
	next := in.Uint(f.targets)
	f.sent = in.Uint(math.MaxUint64)
	for range in.Count(3) {
		f.restoreBlock(in, next)
	}
	if len(f.blocks) == 0 {
		f.next = next
	}
	if in.Err() == nil && f.next != next {
		in.Fail(fmt.Errorf("blocks end at %d and not at %d", f.next, next))
	}
	restoreTags(in, &f.again, f.left)
	if err := in.End(); err != nil {
		return damaged(err)
	}
	return damaged(f.balanced())
}

// balanced tells whether the blocks have as many points open as are to be sent,
// for the first time or again.
func (f *Full) balanced() error {
	open := make([]uint64, len(f.blocks))
	seen := make(map[int]bool, f.again.n)
	for i := range f.again.n {
		trace, _, ttl := splitTag(f.again.at(i))
		if point := makeTag(trace, 0, ttl); !seen[point] {
			seen[point] = true
			open[(trace/f.flows-f.blocks[0].first)/blockTargets]++
		}
	}
	for i := range f.blocks {
		k := &f.blocks[i]
		if all := open[i] + k.order.Len() - k.sent; all != k.open || all == 0 {
			return fmt.Errorf("block %d has %d points open, and %d are to be sent", i, k.open, all)
		}
	}
	if len(seen) != f.again.n {
		return errors.New("a probe is to be sent again twice")
	}
	return nil
}

// restoreBlock takes in a block, which begins where the one before it ends.
func (f *Full) restoreBlock(in *pack.Reader, limit uint64) {
	first := in.Uint(limit)
	if len(f.blocks) == 0 {
		f.next = first
	}
	if in.Err() != nil {
		return
	}
	if first != f.next || first%blockTargets != 0 || !f.open() {
		in.Fail(fmt.Errorf("a block begins at %d", first))
		return
	}
	k := &f.blocks[len(f.blocks)-1]
	k.sent, k.open = in.Uint(k.order.Len()), in.Uint(k.order.Len())
}

// left tells whether a tag is of a probe that has left, of a block under way.
func (f *Full) left(tag uint64) bool {
	trace, attempt, ttl := splitTag(int(tag))
	place := trace / f.flows
	if len(f.blocks) == 0 || place < f.blocks[0].first || place >= f.next || attempt >= f.Attempts || ttl < f.First || ttl > f.Max {
		return false
	}
	k := f.blockOf(trace)
	point := (trace-k.first*f.flows)*f.ttls + uint64(ttl-f.First)
	return k.order.Place(point) < k.sent
}
