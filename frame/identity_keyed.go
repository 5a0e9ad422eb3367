package frame

// KeyedFields lists the identity of keyed probes, as MakeKeyed shapes them and
// SetToken fills them, of every method that carries a token and in both
// families, those of a method in the order of their place. Flow marks what must
// stay constant: no field of RoleToken or RoleCheck is in the flow.
func KeyedFields() []IdentityField {
	var list []IdentityField
	for _, m := range []Method{UDP, ICMP, TCP, UDPLite} {
		for _, v6 := range []bool{false, true} {
			list = append(list, keyedIdentity(m, v6)...)
		}
	}
	return list
}

const (
	wholeToken = 0xffffffff
	upperToken = 0xffff0000
	lowerToken = 0x0000ffff
)

func keyedIdentity(m Method, v6 bool) []IdentityField {
	var list []IdentityField
	add := func(name string, transport bool, at, size int, role Role, flow bool, token uint32) {
		list = append(list, IdentityField{m, v6, name, transport, 8 * at, 8 * size, role, flow, token})
	}
	if !v6 {
		if m == TCP {
			add("identification", false, ipv4IDAt, 2, RoleCheck, false, 0)
		} else {
			add("identification", false, ipv4IDAt, 2, RoleToken, false, upperToken)
		}
	}
	if m == ICMP {
		add("checksum", true, icmpChecksumAt, 2, RoleVerified, true, 0)
		add("identifier", true, icmpIDAt, 2, RoleVerified, true, 0)
		add("sequence", true, icmpSeqAt, 2, RoleToken, false, lowerToken)
		add("payload", true, markAt, 4, RoleToken, false, wholeToken)
		return list
	}
	add("source port", true, portSrcAt, 2, RoleVerified, true, 0)
	add("destination port", true, portDstAt, 2, RoleVerified, true, 0)
	if m == TCP {
		add("sequence", true, tcpSeqAt, 4, RoleToken, false, wholeToken)
		return list
	}
	add("checksum", true, udpChecksumAt, 2, RoleToken, false, lowerToken)
	if v6 {
		add("payload", true, markAt, 4, RoleToken, false, wholeToken)
	}
	return list
}
