package link

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// Hops tells which next hop leads to a destination, by the longest prefix. All
// methods that change it are for before it is used; after that any number of
// goroutines may look up.
type Hops struct {
	table bart.Table[uint32] // number of the next hop
	macs  [][6]byte          // by number
	first [2]uint32          // by family: the first that leads anywhere
	many  bool               // a family has others
	sets  []shares           // of those that divide flows among several
}

// nowhere is the number of the next hop that there is none.
const nowhere = 0

// NewHops makes a table in which nothing leads anywhere.
func NewHops() *Hops { return &Hops{macs: make([][6]byte, nowhere+1)} }

// Add enters a next hop, and gives its number.
func (h *Hops) Add(mac [6]byte) uint32 {
	h.macs = append(h.macs, mac)
	return uint32(len(h.macs) - 1)
}

// Set lets a next hop lead to the addresses of a prefix, but for those of
// longer ones, which are to come later. Number 0 is that none does.
func (h *Hops) Set(p netip.Prefix, number uint32) {
	if n, _ := h.table.LookupPrefix(p); n == number {
		return // it does already
	}
	h.table.Insert(p, number)
	f := 0
	if p.Addr().Is6() {
		f = 1
	}
	switch h.first[f] {
	case nowhere:
		h.first[f] = number
	case number:
	default:
		h.many = h.many || number != nowhere
	}
	h.many = h.many || number&set != 0
}

// Leads tells whether any next hop leads to an address.
func (h *Hops) Leads(dst netip.Addr) bool {
	n, ok := h.table.Lookup(dst)
	return ok && n != nowhere
}

// Offsets of the destination address in an Ethernet frame.
const (
	dst4 = ethernetLen + 16
	dst6 = ethernetLen + 24
)

// of gives the link address for an Ethernet frame: all zeros, which nobody has,
// where none leads to its destination.
func (h *Hops) of(f []byte) []byte {
	var n uint32
	switch {
	case isIPv6(f) && len(f) >= dst6+16:
		n, _ = h.table.Lookup(netip.AddrFrom16([16]byte(f[dst6:])))
	case !isIPv6(f) && len(f) >= dst4+4:
		n, _ = h.table.Lookup(netip.AddrFrom4([4]byte(f[dst4:])))
	}
	if n&set != 0 {
		n = h.sets[n&^set].of(f)
	}
	return h.macs[n][:]
}
