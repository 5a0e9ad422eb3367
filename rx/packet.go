// Package rx takes replies in: the TPACKET_V3 receive ring, the BPF filter
// before it, and what finds the probe that a reply belongs to: the Table, for
// probes of any kind, and the Ledger, for millions of keyed ones.
package rx

import "time"

// Packet is one received frame. Data points into the ring and is valid only
// until the function it was handed to returns.
type Packet struct {
	Data []byte
	At   time.Duration // kernel receive time since the ring's epoch
	// Offloaded means that the transport checksum was never written out, as
	// on a veth or behind transmit offload, and must not be verified
	// (TP_STATUS_CSUMNOTREADY, packet(7)).
	Offloaded bool
	// Interface is the index of the interface that it came by, where that is
	// another than the one of the Ring or Socket (Hear); else 0.
	Interface int
	// Local marks an answer that this program made itself for the kernel, such
	// as the host unreachable of a next hop that does not resolve.
	Local bool
}
