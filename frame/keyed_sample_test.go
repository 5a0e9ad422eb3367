package frame

// keyedMethods are those that carry a token.
var keyedMethods = []Method{UDP, ICMP, TCP, UDPLite}

// keyedProbe gives a keyed probe with every field set, of the least size.
func keyedProbe(m Method, v6 bool) Probe {
	p := fullProbe(m, v6, MinSize(m, v6))
	p.MakeKeyed()
	p.Sum = 0xc0de
	p.SetToken(0xfeedbeef)
	return p
}
