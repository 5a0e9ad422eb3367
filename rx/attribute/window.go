package attribute

import "math/bits"

// entry is a remembered packet.
type entry struct {
	at     int64 // ns
	number uint64
	begin  uint64 // of its bytes in the arena
	size   int32  // of them
	// answered counts the replies that it got.
	answered uint32
	reply    bool // it was a direct answer itself
	fields   fields
}

// window remembers the latest packets, up to a number, a sum of bytes and an
// age. Positions count up for ever; what is before first is forgotten.
type window struct {
	entries []entry // a power of two
	arena   []byte  // a ring; a packet's bytes are never split
	first   uint64
	next    uint64
	written uint64 // bytes put into the arena, gaps included
	// crowded counts packets that were forgotten before their time.
	crowded uint64
}

func newWindow(packets, arena int) window {
	return window{entries: make([]entry, ceilPow2(packets)), arena: make([]byte, arena)}
}

func ceilPow2(n int) int { return 1 << bits.Len(uint(max(n, 2)-1)) }

func (w *window) at(pos uint64) *entry { return &w.entries[pos&uint64(len(w.entries)-1)] }

// bytes gives what was kept of the packet.
func (w *window) bytes(e *entry) []byte {
	at := e.begin % uint64(len(w.arena))
	return w.arena[at : at+uint64(e.size)]
}

// forget drops what was sent before the time.
func (w *window) forget(before int64) {
	for w.first < w.next && w.at(w.first).at < before {
		w.first++
	}
}

// add remembers a packet and gives its position. data must be no longer than
// the arena.
func (w *window) add(data []byte) (uint64, *entry) {
	size := uint64(len(w.arena))
	if room := size - w.written%size; room < uint64(len(data)) {
		w.written += room // the end is too short for it
	}
	end := w.written + uint64(len(data))
	for w.first < w.next && (w.next-w.first == uint64(len(w.entries)) || w.at(w.first).begin+size < end) {
		w.first++
		w.crowded++
	}
	pos := w.next
	e := w.at(pos)
	*e = entry{begin: w.written, size: int32(len(data))}
	copy(w.arena[w.written%size:], data)
	w.written = end
	w.next++
	return pos, e
}

// chain finds packets by a key: the newest with each hash, and from each the
// one before it. What the window forgets needs no removal, since a chain only
// grows older.
type chain struct {
	heads []uint32 // position+1, low bits
	prev  []uint32
}

func newChain(entries int) chain {
	return chain{heads: make([]uint32, 2*entries), prev: make([]uint32, entries)}
}

func (c *chain) add(hash, pos uint64) {
	head := &c.heads[hash&uint64(len(c.heads)-1)]
	c.prev[pos&uint64(len(c.prev)-1)] = *head
	*head = uint32(pos + 1)
}

// walk is a way along one chain.
type walk struct {
	c     *chain
	low   uint32
	limit uint64 // positions from here on have been visited
	first uint64
}

func (c *chain) walk(hash uint64, w *window) walk {
	return walk{c, c.heads[hash&uint64(len(c.heads)-1)], w.next, w.first}
}

// next gives the next older position.
func (w *walk) next() (uint64, bool) {
	// The distance to the last position fits 32 bits, the position may not.
	back := uint64(uint32(w.limit) - w.low + 1)
	if w.low == 0 || back == 0 || back > w.limit-w.first {
		return 0, false
	}
	pos := w.limit - back
	w.limit = pos
	w.low = w.c.prev[pos&uint64(len(w.c.prev)-1)]
	return pos, true
}
