package attribute

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/rx/anomaly"
)

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// copyWindow is how far apart the copies of one packet may be, in ns: a router
// or a host sends it on at once, also where its path is long.
const copyWindow = int64(1e9)

// copies knows packets again that were captured in several links: "any"
// devices, routers, merged captures. It remembers one packet for each hash.
type copies struct{ slots []copySlot }

type copySlot struct {
	hash uint64
	at   int64
	link uint64
	ttl  uint8
}

func newCopies() copies { return copies{make([]copySlot, 1<<14)} }

// is tells whether the packet was seen before, in another link and with no
// lower TTL.
func (c *copies) is(ip []byte, h *anomaly.Header, at int64, link uint64) bool {
	hash := contentHash(ip, h)
	s := &c.slots[hash%uint64(len(c.slots))]
	if s.hash == hash && s.link != link && h.TTL <= s.ttl && at-s.at <= copyWindow {
		return true
	}
	*s = copySlot{hash, at, link, h.TTL}
	return false
}

// contentHash hashes a packet without what routers change: TTL and IPv4
// header checksum.
func contentHash(ip []byte, h *anomaly.Header) uint64 {
	const most = 256
	hash := mix(uint64(len(ip)), uint64(h.Version))
	var start int
	if h.Version == 4 {
		hash = mix(hash, binary.BigEndian.Uint64(ip))
		hash = mix(hash, uint64(ip[9]))
		start = 12
	} else {
		hash = mix(hash, uint64(binary.BigEndian.Uint32(ip))<<32|uint64(binary.BigEndian.Uint32(ip[4:]))&^0xff)
		start = 8
	}
	b := ip[start:min(len(ip), most)]
	for len(b) >= 8 {
		hash = mix(hash, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for _, v := range b {
		hash = mix(hash, uint64(v))
	}
	return hash
}
