// Package lbl is the strategy of LBL and BSD traceroute: one probe at a time,
// a wait that no neighbour shortens, and a stop rule that counts refusals.
//
// It knows IPv4 only, as that program does. Its rules differ from those of
// package hops in three points. A hop ends the trace when a probe of it
// arrived, or when at least one of its probes and all but one were refused.
// A protocol unreachable is an arrival. ICMP messages that are neither a time
// exceeded in transit nor a destination unreachable settle nothing: the probe
// that they quote goes on waiting.
package lbl
