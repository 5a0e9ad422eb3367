package frame

import (
	"fmt"
	"math/bits"
)

// Role is what a header field does for a probe's identity.
type Role uint8

// The roles.
const (
	RoleKey      Role = iota + 1 // part of Key, by which the probe is looked up
	RoleVerified                 // compared behind the look-up
	RoleToken                    // part of the keyed token, which is index and check in one
	RoleCheck                    // drawn so that nobody can guess it, and compared behind the look-up
)

// String gives the role in one lower-case word.
func (r Role) String() string {
	switch r {
	case RoleKey:
		return "key"
	case RoleVerified:
		return "verified"
	case RoleToken:
		return "token"
	case RoleCheck:
		return "check"
	}
	return "invalid"
}

// IdentityField is one header field of a probe that tells it from others, as
// quotes bring it back. Addresses and protocol, which probes of a trace share,
// are verified always and not listed.
type IdentityField struct {
	Method    Method
	IPv6      bool
	Name      string
	Transport bool // Offset counts from the transport header, else from the IP header
	Offset    int  // in bits
	Bits      int
	Role      Role
	// Flow marks a field that load balancers hash, or that changes one that
	// they do: ports, the ICMP checksum, the IPv6 flow label.
	Flow bool
	// Token is the bits of the token that a RoleToken field holds, in order.
	Token uint32
}

// String describes the field in one line.
func (f IdentityField) String() string {
	header, more := "IP", ""
	if f.Transport {
		header = "transport"
	}
	if f.Role == RoleToken {
		more = fmt.Sprintf(" bits %d..%d", 31-bits.LeadingZeros32(f.Token), bits.TrailingZeros32(f.Token))
	}
	if f.Flow {
		more += ", in the flow"
	}
	return fmt.Sprintf("%s over %s: %s, bits %d..%d of the %s header, %s%s",
		f.Method, familyOf(f.IPv6), f.Name, f.Offset, f.Offset+f.Bits-1, header, f.Role, more)
}

// IdentityFields lists the identity of every method in both families, those of a
// method in the order of their place. It is that of probes without token, which
// have their checksum and Mark for a check if Conceal finds room; KeyedFields has
// the others'.
func IdentityFields() []IdentityField {
	var list []IdentityField
	for m := UDP; m <= Raw; m++ {
		for _, v6 := range []bool{false, true} {
			list = append(list, ipIdentity(m, v6)...)
			list = append(list, transportIdentity(m, v6)...)
		}
	}
	return list
}

func ipIdentity(m Method, v6 bool) []IdentityField {
	id := IdentityField{Method: m, Name: "identification", Offset: 8 * ipv4IDAt, Bits: 16, Role: RoleCheck}
	switch {
	case m == Raw && v6:
		return []IdentityField{{Method: m, IPv6: true, Name: "flow label", Offset: 12, Bits: 20, Role: RoleKey, Flow: true}}
	case v6:
		return nil
	case m == Raw:
		id.Role = RoleKey
	}
	return []IdentityField{id}
}

func transportIdentity(m Method, v6 bool) []IdentityField {
	field := func(name string, at, bits int, role Role, flow bool) IdentityField {
		return IdentityField{Method: m, IPv6: v6, Name: name, Transport: true, Offset: 8 * at, Bits: bits, Role: role, Flow: flow}
	}
	switch m {
	case Raw:
		return nil
	case ICMP:
		return []IdentityField{
			field("checksum", icmpChecksumAt, 16, RoleCheck, true),
			field("identifier", icmpIDAt, 16, RoleKey, true),
			field("sequence", icmpSeqAt, 16, RoleKey, true),
			field("payload", markAt, 32, RoleCheck, false),
		}
	}
	list := []IdentityField{
		field("source port", portSrcAt, 16, RoleKey, true),
		field("destination port", portDstAt, 16, RoleKey, true),
	}
	switch m {
	case TCP:
		list = append(list, field("sequence", tcpSeqAt, 32, RoleCheck, false))
	case UDP, UDPLite:
		list = append(list, field("checksum", udpChecksumAt, 16, RoleCheck, false))
		if v6 {
			list = append(list, field("payload", markAt, 32, RoleCheck, false))
		}
	case DCCP: // its upper 16 bits are 0; routers that quote 8 bytes leave it out
		list = append(list, field("sequence", dccpSeqLowAt, 32, RoleCheck, false))
	}
	return list
}
