// Package lab builds test networks out of network namespaces and veth pairs,
// through netlink alone. It works as root and, by way of Reexec or RunTests,
// as an ordinary user inside a user namespace.
//
// The namespaces are anonymous: nothing but file descriptors and threads of
// this process holds them, so they vanish with it however it ends, and no two
// networks can collide by name.
//
// The topology "line":
//
//	  192.168.100.0/24           192.168.110.0/24           192.168.120.0/24
//	  fd00:100::/64              fd00:110::/64              fd00:120::/64
//	h1 veth1-h1 .10 --- .20 veth1-r1 r1 veth2-r1 .10 --- .20 veth1-r2 r2 veth2-r2 .10 --- .20 veth1-h2 h2
//
// The host parts are the same in both families: h1 is 192.168.100.10 and
// fd00:100::10. Hosts have a default route to their router; routers know the
// far networks and nothing else. "pair" is two hosts on one wire, "mtu" is
// "line" with links of 1500, 1000 and 500 bytes (the last two IPv4 only, since
// IPv6 needs 1280), "long" has 16 routers.
//
// In every namespace the loopback is up, addresses work at once (no duplicate
// address detection), ICMP errors are not rate limited, reverse path filters
// are off, and the veth ends send whole checksums, as a wire would carry them.
// There are no names in the network: every host has a route that refuses
// packets to the machine's name servers, so that lookups fail at once.
// One limit stays, which no namespace can lift: an IPv4 router tells a source
// five times at once, and then once a second, that it has no route or a
// refusing one (net.ipv4.route.error_burst and error_cost of the machine).
package lab
