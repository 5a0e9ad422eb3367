package space

import "net/netip"

// Special lists the address blocks that no survey of the Internet should probe:
// those of the IANA special-purpose registries (RFC 6890 and its updates) that
// are not globally reachable, multicast, and what they reserve as a whole with
// globally reachable exceptions in it (192.0.0.0/24, 2001::/23). IPv4-mapped
// addresses are in no Space anyway.
func Special() []netip.Prefix {
	list := make([]netip.Prefix, len(special))
	for i, s := range special {
		list[i] = netip.MustParsePrefix(s)
	}
	return list
}

var special = [...]string{
	"0.0.0.0/8",       // this network, RFC 791 section 3.2
	"10.0.0.0/8",      // private use, RFC 1918
	"100.64.0.0/10",   // shared address space, RFC 6598
	"127.0.0.0/8",     // loopback, RFC 1122 section 3.2.1.3
	"169.254.0.0/16",  // link local, RFC 3927
	"172.16.0.0/12",   // private use, RFC 1918
	"192.0.0.0/24",    // protocol assignments, RFC 6890 section 2.1
	"192.0.2.0/24",    // documentation, RFC 5737
	"192.88.99.0/24",  // 6to4 relay anycast, RFC 7526
	"192.168.0.0/16",  // private use, RFC 1918
	"198.18.0.0/15",   // benchmarking, RFC 2544
	"198.51.100.0/24", // documentation, RFC 5737
	"203.0.113.0/24",  // documentation, RFC 5737
	"224.0.0.0/4",     // multicast, RFC 5771
	"240.0.0.0/4",     // reserved, RFC 1112 section 4, and limited broadcast

	"::/128",         // unspecified, RFC 4291
	"::1/128",        // loopback, RFC 4291
	"64:ff9b:1::/48", // local IPv4/IPv6 translation, RFC 8215
	"100::/64",       // discard only, RFC 6666
	"100:0:0:1::/64", // dummy prefix, RFC 9780
	"2001::/23",      // protocol assignments, RFC 2928
	"2001:db8::/32",  // documentation, RFC 3849
	"2002::/16",      // 6to4, RFC 3056
	"3fff::/20",      // documentation, RFC 9637
	"5f00::/16",      // segment routing identifiers, RFC 9602
	"fc00::/7",       // unique local, RFC 4193
	"fe80::/10",      // link local, RFC 4291
	"ff00::/8",       // multicast, RFC 4291
}

// Ends gives the first and the last address of a prefix.
func Ends(p netip.Prefix) (first, last netip.Addr) {
	first = p.Masked().Addr()
	v6 := first.Is6()
	return first, toNumber(first).or(low(width(v6) - p.Bits())).addr(v6)
}
