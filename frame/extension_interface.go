package frame

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// ClassInterface is the class of interface information, RFC 5837 section 4.
const ClassInterface = 2

// The type of an interface information object is a bit field, RFC 5837
// section 4.1: what follows, in this order, and the interface's role.
const (
	interfaceHasMTU     = 1 << 0
	interfaceHasName    = 1 << 1
	interfaceHasAddr    = 1 << 2
	interfaceHasIndex   = 1 << 3
	interfaceRoleShift  = 6
	interfaceAFILen     = 4 // address family (IANA), 16 bits, and 16 bits reserved
	interfaceAFIv4      = 1
	interfaceAFIv6      = 2
	interfaceMaxNameLen = 64 // with its length byte, RFC 5837 section 4.3
)

// InterfaceRole tells which of a router's interfaces an object is about.
type InterfaceRole uint8

// The roles, RFC 5837 section 4.1.
const (
	RoleIncoming    InterfaceRole = iota // by which the datagram came
	RoleIncomingSub                      // part of it below IP, as of a bundle
	RoleOutgoing                         // by which the datagram would have left
	RoleNextHop                          // where it would have gone next
)

// Interface is interface information, as far as the router gave it.
type Interface struct {
	Role     InterfaceRole
	HasIndex bool
	Index    uint32     // ifIndex of RFC 2863
	Addr     netip.Addr // not valid when not given
	Name     []byte     // UTF-8 where the router keeps to RFC 5837; nil when not given
	HasMTU   bool
	MTU      uint32 // bytes
}

// InterfaceOf reads an object of ClassInterface. It gives false for another
// class and for one whose data ends before what its type announces, or that
// has an address of another family or a name whose length is below 4, above
// 64, or not of whole words. Data beyond that is left alone. Name points into
// the object.
func InterfaceOf(o Object) (Interface, bool) {
	if o.Class != ClassInterface {
		return Interface{}, false
	}
	i := Interface{
		Role:     InterfaceRole(o.Type >> interfaceRoleShift),
		HasIndex: o.Type&interfaceHasIndex != 0,
		HasMTU:   o.Type&interfaceHasMTU != 0,
	}
	rest, ok := o.Data, true
	if i.HasIndex {
		i.Index, rest, ok = takeWord(rest)
	}
	if ok && o.Type&interfaceHasAddr != 0 {
		i.Addr, rest, ok = takeInterfaceAddr(rest)
	}
	if ok && o.Type&interfaceHasName != 0 {
		i.Name, rest, ok = takeInterfaceName(rest)
	}
	if ok && i.HasMTU {
		i.MTU, _, ok = takeWord(rest)
	}
	if !ok {
		return Interface{}, false
	}
	return i, true
}

func takeWord(b []byte) (uint32, []byte, bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b), b[4:], true
}

func takeInterfaceAddr(b []byte) (netip.Addr, []byte, bool) {
	if len(b) < interfaceAFILen {
		return netip.Addr{}, nil, false
	}
	family, b := binary.BigEndian.Uint16(b), b[interfaceAFILen:]
	switch {
	case family == interfaceAFIv4 && len(b) >= 4:
		return addr4(b), b[4:], true
	case family == interfaceAFIv6 && len(b) >= 16:
		return addr6(b), b[16:], true
	}
	return netip.Addr{}, nil, false
}

// takeInterfaceName reads a name behind its length, which counts itself and
// the zeros that fill the last word.
func takeInterfaceName(b []byte) (name, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	n := int(b[0])
	if n < 4 || n > interfaceMaxNameLen || n%4 != 0 || n > len(b) {
		return nil, nil, false
	}
	return bytes.TrimRight(b[1:n], "\x00"), b[n:], true
}
