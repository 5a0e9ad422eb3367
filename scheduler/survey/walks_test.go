package survey

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Each trace has its walk from when it is added to when it is finished, with
// memory for those under way only.
func TestWalks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Uint64Range(1, 3*walksPerBlock).Draw(r, "limit")
		a := newWalks(limit)
		a.oldest = rapid.Uint64Range(0, 3*walksPerBlock).Draw(r, "first")
		a.next = a.oldest
		open := map[uint64]walk{}
		var order []uint64 // of those in open, somehow
		blocks := map[*walkBlock]bool{}
		for i := range rapid.IntRange(0, 8*walksPerBlock).Draw(r, "steps") {
			if !a.full() && (len(open) == 0 || i%5 < 3) {
				w := walk{start: uint8(i), state: walking}
				open[a.next] = w
				order = append(order, a.next)
				a.add(w)
				blocks[*a.block(a.next - 1)] = true
				continue
			}
			at := i * 7919 % len(order)
			a.walk(order[at]).state = 0
			delete(open, order[at])
			order = slices.Delete(order, at, at+1)
			a.settle()
			if a.oldest < a.next && a.walk(a.oldest).state == 0 {
				r.Fatalf("the oldest, %d, is finished", a.oldest)
			}
		}
		if a.next-a.oldest > limit {
			r.Fatalf("%d under way, %d are allowed", a.next-a.oldest, limit)
		}
		for trace := range a.next {
			w, ok := open[trace]
			if got := a.underWay(trace); (got != nil) != ok || ok && *got != w {
				r.Fatalf("trace %d is %v, want %v", trace, got, w)
			}
		}
		if most := limit/walksPerBlock + 2; uint64(len(blocks)) > most {
			r.Fatalf("%d blocks were taken, want %d at most", len(blocks), most)
		}
	})
}

// However many traces there are, those under way take memory.
func TestWalksAreFew(t *testing.T) {
	a := newWalks(maxWalks)
	pass := func(n uint64) {
		for range n {
			a.add(walk{state: walking})
			a.walk(a.next - 1).state = 0
			a.settle()
		}
	}
	pass(2 * walksPerBlock)
	if n := testing.AllocsPerRun(1000, func() { pass(walksPerBlock / 8) }); n != 0 || len(a.free) > 1 {
		t.Errorf("%v allocations, %d blocks are free", n, len(a.free))
	}
}
