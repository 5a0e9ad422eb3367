package link

import "fmt"

// Tx is a way for frames to leave.
type Tx uint8

// The ways. A Local Envelope always has its raw IP socket, whichever is asked
// for, unless that is TxNull.
const (
	// TxPacket is a packet socket, many frames in a system call (sendmmsg(2)).
	// It works everywhere, and its frames go through the interface's queueing
	// discipline and packet filters, and show up in captures.
	TxPacket Tx = iota
	// TxXDP is an AF_XDP socket in copy mode, on Ethernet: 1.3 to 1.6 times as
	// fast. Its frames pass the queueing discipline, filters and captures of
	// this host by. What pushes back is the socket's send buffer alone, and
	// frames leave that as soon as the driver lets go of them: a veth does at
	// once, so that a receiver too slow for them loses frames without a trace
	// here. Needs CAP_NET_RAW, Linux 5.4, and 2 MiB that RLIMIT_MEMLOCK allows
	// or CAP_IPC_LOCK; an interface takes one such sender for each of its
	// queues.
	TxXDP
	// TxAuto is what ChooseTx chooses.
	TxAuto
	// TxNull counts frames and throws them away, for measuring all that is
	// above. It needs no privilege.
	TxNull
)

var txNames = [...]string{"packet", "xdp", "auto", "null"}

// String is the name as users write it.
func (t Tx) String() string {
	if int(t) < len(txNames) {
		return txNames[t]
	}
	return fmt.Sprintf("Tx(%d)", uint8(t))
}

// ParseTx is the reverse of String.
func ParseTx(name string) (Tx, error) {
	for i, n := range txNames {
		if n == name {
			return Tx(i), nil
		}
	}
	return 0, fmt.Errorf("sender %q, need packet, xdp, auto or null", name)
}

// packetRate is how many probes/s a packet socket is trusted with, where all
// are answered to the same two cores: 276,000 were measured there, AF_XDP came
// to 382,000. Without answers it is 470,000 and 610,000.
const packetRate = 250_000

// ChooseTx chooses for a rate in probes/s that somebody asks for, 0 for nobody
// does, and tells why. AF_XDP gives up captures and back-pressure, so it has to
// be needed.
func ChooseTx(rate float64) (Tx, string) {
	if rate > packetRate {
		return TxXDP, fmt.Sprintf("%.0f probes/s are more than the %d that a packet socket is good for, AF_XDP carries 1.3 to 1.6 times as many", rate, packetRate)
	}
	return TxPacket, fmt.Sprintf("a packet socket is good for %d probes/s", packetRate)
}
