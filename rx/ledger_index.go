package rx

import (
	"math/bits"

	"github.com/hopquote/hopquote/frame"
)

// index leads from a destination to the probes that were sent there, the newest
// first, for replies that bring no whole token back. The probes of a bucket are
// chained through their slots. A slot that was taken again since belongs to
// another chain: it is newer than the one that led to it, which is where a walk
// ends. So nothing is ever taken out.
//
// Probes come in when somebody asks, all that left since then: hardly ever, over
// IPv4. Each touches memory that no other is near of, which costs more than all
// else about a probe, and less for many in a row.
type index struct {
	heads  []uint32 // by bucket: the newest probe's number, which may be long gone
	shift  int
	secret uint64 // so that nobody can choose addresses of one bucket
	done   uint32 // those before this number are in
}

const (
	slotsPerBucket = 4
	// maxWalk bounds how many probes are looked at for one reply: all to one
	// destination, at 30 hops and 8 flows, and those that share its bucket.
	maxWalk = 256
)

func newIndex(size uint32, c *frame.Cipher) index {
	buckets := max(size/slotsPerBucket, 1)
	return index{
		heads:  make([]uint32, buckets),
		shift:  64 - bits.Len32(buckets-1),
		secret: uint64(c.Encrypt(0))<<32 | uint64(c.Encrypt(1)) | 1,
	}
}

// bring takes the probes in that left since the last time.
func (l *Ledger) bring() {
	x, size := &l.index, l.ring.size
	if l.entered-x.done > size {
		x.done = l.entered - size
	}
	for ; x.done != l.entered; x.done++ {
		w := l.ring.at(x.done)
		if stateOf(w) != void {
			setOlder(w, x.put(l.ring.address(w), x.done, size))
		}
	}
}

// put makes seq, which left for a, the newest of its bucket, and gives the one
// that was: as a place in a ring of size, or its own for none.
func (x *index) put(a address, seq, size uint32) uint32 {
	head := x.bucket(a)
	older := *head
	*head = seq
	if seq-older >= size {
		older = seq
	}
	return older & (size - 1)
}

func (x *index) bucket(a address) *uint32 {
	h := (a.high ^ bits.RotateLeft64(a.low, 32) ^ x.secret) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29 ^ x.secret) * 0xbf58476d1ce4e5b9
	// A shift by 64, with one bucket, gives 0.
	return &x.heads[h>>x.shift]
}

// chain goes through the probes of a destination that a ledger still has.
type chain struct {
	dst   address
	place uint32 // of the slot to look at next
	age   int64  // of the slot before, in probes
	left  int    // of maxWalk
}

func (l *Ledger) chain(dst address) chain {
	l.bring()
	w := chain{dst: dst, place: *l.index.bucket(dst), age: -1, left: maxWalk}
	if l.entered-1-w.place >= l.ring.size {
		w.left = 0 // the head is a number, and no place where it is gone
	}
	return w
}

// older gives the number of the next older probe, and whether there is one.
func (l *Ledger) older(w *chain) (uint32, bool) {
	for ; w.left > 0; w.left-- {
		age := int64((l.entered - 1 - w.place) & (l.ring.size - 1))
		if age <= w.age {
			return 0, false
		}
		seq := l.entered - 1 - uint32(age)
		slot := l.ring.at(seq)
		w.age, w.place = age, olderOf(slot)
		if l.ring.is(slot, w.dst) && stateOf(slot) != void {
			w.left--
			return seq, true
		}
	}
	return 0, false
}
