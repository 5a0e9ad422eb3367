package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// resolvConf names the machine's name servers, resolv.conf(5).
const resolvConf = "/etc/resolv.conf"

// maxServers is how many of them the C library asks, MAXNS of resolv.h.
const maxServers = 3

// refuseNames makes the machine's name servers unreachable from every host.
// There are none in the network: a lookup would wait many seconds for an
// answer, and now fails at once.
func (n *Net) refuseNames() error {
	f, err := os.Open(resolvConf)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer f.Close()
	for _, server := range nameservers(io.LimitReader(f, 64<<10)) {
		if n.topology.uses(server) || server.Is6() && !haveIPv6() {
			continue
		}
		for _, h := range n.hosts {
			if err := h.AddRoute(Route{Dst: netip.PrefixFrom(server, server.BitLen()), Type: Unreachable}); err != nil {
				return err
			}
		}
	}
	return nil
}

// uses tells whether an interface of the plan has the address.
func (t Topology) uses(a netip.Addr) bool {
	for _, l := range t.Links {
		for _, e := range l.Ends {
			if slices.ContainsFunc(e.Addresses, func(p netip.Prefix) bool { return p.Addr() == a }) {
				return true
			}
		}
	}
	return false
}

// nameservers reads the first servers of a resolv.conf. Those on the loopback
// or a link are left out: packets to them cannot leave a host anyway.
func nameservers(r io.Reader) []netip.Addr {
	var servers []netip.Addr
	for lines := bufio.NewScanner(r); lines.Scan() && len(servers) < maxServers; {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		a, err := netip.ParseAddr(fields[1])
		if err != nil || a.Zone() != "" || !a.Unmap().IsGlobalUnicast() || slices.Contains(servers, a.Unmap()) {
			continue
		}
		servers = append(servers, a.Unmap())
	}
	return servers
}
