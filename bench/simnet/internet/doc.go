// Package internet is a simulated Internet at the end of a link: paths to
// every address, with routers that are drawn from a seed, at the rate that a
// kernel can answer. It is what throughput and completeness are measured with;
// package simnet, its neighbour, plays single paths that a script describes.
//
// What answers a probe is a pure function of the seed, the destination, the
// TTL, the protocol and, with Diamonds, the flow: Config.AnswerFlow tells it, so
// that everything that comes back can be held against the truth. Package score,
// below, does that for all that a prober reports.
//
// The kernel form is an eBPF program at the ingress of the link (bpf/, embedded
// as little-endian object): the frame of a probe becomes its reply and leaves
// by the link that it came by. On the prober's own CPU, the usual case, the
// reply is queued before the prober's send returns; nothing is lost and
// nothing is out of order. Config.CPUs has other CPUs do it for throughput.
// Where eBPF is not allowed (it needs CAP_BPF and CAP_NET_ADMIN outside of any
// user namespace, and Linux 6.6), the user-space form answers from a packet
// socket, more slowly but byte for byte the same.
//
//	h1 veth1-h1 --- veth1-sim sim
//
// Routers sit in a tree: destinations share their first hops, and the longer
// their common prefix is, the more of them. Hop 1 is the gateway. Paths of one
// prefix may be of different lengths.
//
//	hop                          prefix that shares a router, IPv4 (IPv6)
//	1 .. Shared                  all destinations
//	Shared+i                     4*i bits, 24 at most (8*i, 48)
//	the destination itself       after MinHops-1 .. MaxHops-1 routers
//
// Destinations answer as hosts do: an echo reply, port unreachable, a SYN-ACK from
// Open ports and a RST from others, protocol unreachable (of IPv6: parameter
// problem). Services on UDP, and hosts that are Guarded, are off in the zero
// Config.
//
// What makes paths hard to find is off in the zero Config, and then costs the
// program in the kernel nothing: the kernel's verifier removes it. Diamonds,
// Loops and Unreachable belong to the truth. Limited, Duplicates and Late are
// what becomes of single answers: the first depends on the time, the others on
// the bytes of the probe; Counters has them. In the kernel form late replies go
// by a ring buffer to this process, which sends them.
//
// What is no probe is counted and gets no answer: frames that contradict
// themselves, fragments, and all that is foreign, which is other link and IP
// addresses, ICMP other than echo requests, IPv4 options, IPv6 extension
// headers and, in the kernel form, other EtherTypes, VLANs and segments still to
// be cut (GSO). Probes must carry whole
// checksums, as they do between hosts of package lab; those of the transport
// are not verified.
package internet
