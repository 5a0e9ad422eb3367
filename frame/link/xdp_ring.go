package link

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// xdpRing is a ring of an AF_XDP socket, shared with the kernel. Its indices
// count on without end; the entries are a power of two.
type xdpRing[T any] struct {
	memory             []byte // what the rest points into
	producer, consumer *uint32
	flags              *uint32
	entries            []T
}

// at gives the entry of an index.
func (r *xdpRing[T]) at(i uint32) *T { return &r.entries[i%uint32(len(r.entries))] }

// xdpTxRing is the ring that frames leave by: descriptors are put in here and
// taken by the kernel.
type xdpTxRing struct {
	xdpRing[unix.XDPDesc]
	first uint32 // that the kernel is not known to have taken
	end   uint32 // behind the last that it may take
}

// put writes the i-th descriptor, which the kernel may take after publish.
func (r *xdpTxRing) put(i int, at uint64, n int) {
	*r.at(r.first + uint32(i)) = unix.XDPDesc{Addr: at, Len: uint32(n)}
}

// publish lets the kernel take the n descriptors that were put. Any that it was
// let take before and has not become void.
func (r *xdpTxRing) publish(n int) {
	for i := n; i < int(r.end-r.first); i++ {
		r.put(i, noChunk, 0)
	}
	if end := r.first + uint32(n); int32(end-r.end) > 0 {
		r.end = end
	}
	// Orders the descriptors before it.
	atomic.StoreUint32(r.producer, r.end)
}

// empty tells whether the kernel has taken all.
func (r *xdpTxRing) empty() bool { return atomic.LoadUint32(r.consumer) == r.end }

// takeAll notes that it has, and gives how many these were.
func (r *xdpTxRing) takeAll() int {
	n := int(r.end - r.first)
	r.first = r.end
	return n
}

// tookAll notes that the kernel has taken all, if so, and if these were n.
func (r *xdpTxRing) tookAll(n int) bool {
	if int(r.end-r.first) != n || !r.empty() {
		return false
	}
	r.first = r.end
	return true
}

// needsKick tells whether the kernel waits for a system call.
func (r *xdpTxRing) needsKick() bool {
	return atomic.LoadUint32(r.flags)&unix.XDP_RING_NEED_WAKEUP != 0
}

// xdpDoneRing is the completion ring, by which chunks come back.
type xdpDoneRing struct {
	xdpRing[uint64]
	next uint32
}

// take is an iterator of the addresses that came back.
func (r *xdpDoneRing) take(yield func(at uint64) bool) {
	end := atomic.LoadUint32(r.producer)
	if end == r.next {
		return
	}
	for more := true; more && r.next != end; r.next++ {
		more = yield(*r.at(r.next))
	}
	// Orders the reads before it.
	atomic.StoreUint32(r.consumer, r.next)
}
