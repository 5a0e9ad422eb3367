package pmtu

import "slices"

// The smallest sizes tried, in bytes of IP packet. Every IPv4 link carries the
// one (RFC 791 section 3.2). An IPv6 link should carry 1280 bytes (RFC 8200
// section 5), but this looks for links that don't do what they should: the
// other is just a probe of traceroute's ordinary size.
const (
	floor4 = 68
	floor6 = 80
)

// usual are MTUs that real links have, tunnels included: RFC 1191 section 7.1
// and what came later. Trying them first settles most searches in few steps.
var usual = []int{
	68, 296, 508, 576, 1006, 1280, 1300, 1350, 1380, 1400, 1420, 1440, 1452, 1460, 1472, 1476, 1480, 1492, 1500,
	1600, 2000, 4352, 8166, 9000, 17914, 32000, 65535,
}

// choose gives the size to try next, between one that gets through and one
// that does not: a usual one, or the next above a usual one that got through,
// since that is most likely the answer, or else one between. A third of the way
// up, not half: a size that gets through costs one probe, one that does not
// costs many and a wait for each.
func choose(through, tooBig int) int {
	from, found := slices.BinarySearch(usual, through)
	lo := from
	if found {
		lo++
	}
	hi, _ := slices.BinarySearch(usual, tooBig)
	switch {
	case lo < hi:
		return usual[lo+(hi-lo)/3]
	case found:
		return through + 1
	}
	return through + max(1, (tooBig-through)/3)
}
