package survey

import (
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
	return damaged(in.End())
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
