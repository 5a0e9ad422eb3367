package sink

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// totals is what may be read from anywhere at any time.
type totals struct {
	found, traces atomic.Uint64
	rough         atomic.Bool // found is an estimate
}

// Found is how many addresses have answered so far, and whether that is exact: it
// is up to a few hundred thousand, and from there on within about one in a
// hundred.
func (s *Sink) Found() (n uint64, exact bool) { return s.total.found.Load(), !s.total.rough.Load() }

// tell lets others know how many there are.
func (t *totals) tell(r *responders) {
	t.found.Store(r.count())
	t.rough.Store(r.level > 0)
}

// Finished is how many traces are finished so far.
func (s *Sink) Finished() uint64 { return s.total.traces.Load() }

// responders counts addresses, of which it keeps a hash of 64 bits each. When it
// has many it goes on with a half of them, chosen by their hashes, then a
// quarter, and so on: a survey that remembers nothing of its targets takes no
// memory for their routers either (Wegman's adaptive sampling, Flajolet 1990).
type responders struct {
	places []uint64 // a power of two of them; 0 is free
	n      int      // of them that are not
	level  int      // leading bits that are 0 in every hash that is kept
}

const (
	fewPlaces  = 1 << 10
	mostPlaces = 1 << 19
	// growBy is by how much the places become more, while there are few.
	growBy = 8
)

func newResponders() responders { return responders{places: make([]uint64, fewPlaces)} }

// add adds those who sent the replies. Their places are far from each other: the
// processor fetches several while it waits for one, as nothing that it does in
// the meantime depends on what is there.
func (r *responders) add(replies []record.Reply) {
	var hashes, found [32]uint64
	for len(replies) > 0 {
		some := replies[:min(len(replies), len(hashes))]
		replies = replies[len(some):]
		n := 0
		for i := range some {
			if h := hashOf(some[i].From); bits.LeadingZeros64(h) >= r.level {
				hashes[n] = h
				n++
			}
		}
		for i, h := range hashes[:n] {
			found[i] = r.places[h&uint64(len(r.places)-1)]
		}
		for i, h := range hashes[:n] {
			if found[i] != h {
				r.enter(h)
			}
		}
	}
}

// hashOf is the hash of an address, which is not 0.
func hashOf(a netip.Addr) uint64 {
	b := a.As16()
	h := mix(binary.BigEndian.Uint64(b[:])+0x9e3779b97f4a7c15) ^ binary.BigEndian.Uint64(b[8:])
	return max(mix(h), 1)
}

// count is how many addresses there are, as far as that is known.
func (r *responders) count() uint64 { return uint64(r.n) << r.level }

// enter enters a hash, which is not 0, and makes room.
func (r *responders) enter(h uint64) {
	if bits.LeadingZeros64(h) < r.level || !r.put(h) {
		return
	}
	r.n++
	switch old := r.places; {
	case r.n <= len(old)/4*3:
	case len(old) == mostPlaces:
		r.thin()
	default:
		r.places = make([]uint64, min(growBy*len(old), mostPlaces))
		for _, h := range old {
			if h != 0 {
				r.put(h)
			}
		}
	}
}

// thin goes on with a half of the hashes. Each moves to where it belongs now,
// which is no farther from where it is looked for: those before it have moved.
func (r *responders) thin() {
	r.level++
	free := slices.Index(r.places, 0)
	for i := range r.places {
		at := (free + i) & (len(r.places) - 1)
		h := r.places[at]
		if h == 0 {
			continue
		}
		r.places[at] = 0
		if bits.LeadingZeros64(h) >= r.level {
			r.put(h)
		} else {
			r.n--
		}
	}
}

// restored finds out which part the hashes are that were entered: when any was
// ever left out there are many, of which one shows it.
func (r *responders) restored() {
	if r.n < mostPlaces/8 {
		return
	}
	r.level = 64
	for _, h := range r.places {
		if h != 0 {
			r.level = min(r.level, bits.LeadingZeros64(h))
		}
	}
}

// put enters a hash and tells whether it is new.
func (r *responders) put(h uint64) bool {
	mask := uint64(len(r.places) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch r.places[i] {
		case h:
			return false
		case 0:
			r.places[i] = h
			return true
		}
	}
}

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
