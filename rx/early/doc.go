// Package early keeps the kernel's IP stack out of a run's own replies. A small
// eBPF program at the ingress of the interface drops them behind the packet
// sockets: rings and captures see every one, and then routing, ICMP handling,
// socket look-ups and netfilter do not run for it.
//
//	interface -> packet sockets -> tcx ingress: this program -> IP stack
//
// That is where the better part of a reply's cost is, in a loop over a veth for
// example. The price is that the kernel does not learn from these packets
// either: it sends no RST to a SYN-ACK, and raw sockets of other programs, such
// as another traceroute, don't get to see them. Give it an exact filter (of
// rx.SurveyFilter), so that nothing else is dropped.
package early
