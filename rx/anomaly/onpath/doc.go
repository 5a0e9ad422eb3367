// Package onpath finds where on a path a packet was changed, from what the
// responders along it quote of it.
//
// Each answer is compared with the probe that it quotes, and what differs with
// what the hop before quoted, so that every change shows up where it came in.
// Two sorts of differences are told apart. What a router does to the quote
// only, like a length in the wrong byte order, is that router's own: it says
// nothing about the hops behind. Anything else travels on with the packet, so
// that the hops behind must quote it too: where they quote the packet as it was
// sent, the change was no change of the packet.
//
// It compares bytes, and knows nothing of sockets, clocks or match tables.
package onpath
