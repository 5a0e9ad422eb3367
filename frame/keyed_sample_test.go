package frame

// keyedMethods are those that carry a token, markMethods those of them that have
// a Mark and a Sum.
var (
	keyedMethods = []Method{UDP, ICMP, TCP, UDPLite}
	markMethods  = []Method{UDP, ICMP, UDPLite}
)

// keyedProbe gives a keyed probe with every field set, of the least size.
func keyedProbe(m Method, v6 bool) Probe {
	p := fullProbe(m, v6, MinSize(m, v6))
	p.MakeKeyed()
	if p.Fixed {
		p.Sum = 0xc0de
	}
	p.SetToken(0xfeedbeef)
	return p
}
