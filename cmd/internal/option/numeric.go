package option

import (
	"net/netip"
	"strconv"
	"strings"
)

// parseIPv4 reads an IPv4 address as inet_aton(3) does: one to four numbers,
// decimal, octal after 0 or hexadecimal after 0x, the last of which fills all
// bytes that are left.
func parseIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var v uint64
	for i, part := range parts {
		if part == "" || digit(part[0]) > 9 {
			return netip.Addr{}, false
		}
		n, rest, ok := scanUint(part)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		if !ok || rest != "" || n>>bits != 0 {
			return netip.Addr{}, false
		}
		v = v<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}

// interfaces knows the machine's network interfaces.
type interfaces interface {
	exists(name string) bool
	name(index int) (string, bool)
}

// parseIPv6 reads an IPv6 address with an optional zone: an interface's name,
// which only addresses of link and interface scope may have, or its index. The
// zone of the result is the name where there is one; index 0 is no zone.
func parseIPv6(s string, known interfaces) (netip.Addr, bool) {
	text, zone, zoned := strings.Cut(s, "%")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Is4() {
		return netip.Addr{}, false
	}
	if !zoned {
		return addr, true
	}
	linkScope := addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() || addr.IsInterfaceLocalMulticast()
	if linkScope && zone != "" && known.exists(zone) {
		return addr.WithZone(zone), true
	}
	index, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return netip.Addr{}, false
	}
	if index == 0 {
		return addr, true
	}
	// An index beyond any interface's is kept as it is: the kernel will refuse it.
	if name, ok := known.name(int(index)); ok && linkScope {
		return addr.WithZone(name), true
	}
	return addr.WithZone(strconv.FormatUint(index, 10)), true
}
