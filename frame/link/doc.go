// Package link is the link that frames leave by: the route and neighbour
// look-ups that fill an Envelope, the Sender that puts frames on the wire, and
// the source Ports held for as long as probes are in flight. A Sender takes
// frames as they are (Send) or lends the memory to build them in (Slots).
//
// Every socket is opened in the network namespace of the calling thread:
// Lookup, OpenSender and the methods of Ports belong on one namespace.
package link
