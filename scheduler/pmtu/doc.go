// Package pmtu finds the path MTU hop by hop, in two ways.
//
// NewTold is traceroute --mtu: it believes the routers' too-big messages (RFC
// 1191, RFC 8201) and nothing else, so that a router which drops in silence
// makes all hops behind it look silent.
//
// Search also finds such black holes, by probing as RFC 8899 does end to end,
// but for every TTL: where a hop is silent at the present size and answers a
// small probe, it looks for the largest size that gets through to that hop.
//
// # What Search shows
//
// One line for each hop in the classic form. The probe with which the size
// fell bears a note: F=1400 where a router, or this host, told that size, and
// F~1400 where it was found by trying. Every other answered probe of the hop,
// and all of later hops until the next note, got through at that size. The
// link that drops is one between the last hop before the note that answered at
// all and the hop with the note.
//
// A hop that answers at no size is silent and nothing more: its line is all
// stars, the size stays, and the next hop that answers shows the note. The
// same line stands for a hop that stopped answering in mid-search.
//
// # How sure it is
//
// A silent probe proves nothing by itself: it, or its answer, may be lost, and
// most routers limit the rate of their errors. So a size counts as too big only
// after three silent probes (MAX_PROBES of RFC 8899 section 5.1.2), each of
// them followed by answered probes of a size that is known to get through.
// Where these checks stay silent as well, counting begins anew, slower. A late
// answer proves its size like any other, and shows that the hop needs more
// patience. MostProbes tells the bound of all this.
//
// With method icmp the destination answers at the size of the probe, so that
// its own hop shows what gets there and back.
package pmtu
