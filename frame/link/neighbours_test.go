package link_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
)

// Many neighbours of both families are found at once, and those that nobody has
// are missing from what is found.
func TestNeighbours(t *testing.T) {
	lab.Skip(t)
	const many = 600
	ends := [2]lab.EndPlan{{Host: "a", Name: "eth", Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.1/16"), netip.MustParsePrefix("fd01::1/64")}}, {Host: "b", Name: "eth"}}
	var hops []netip.Addr
	for i := range many {
		four, six := addr(fmt.Sprintf("10.1.%d.%d", 1+i/200, 1+i%200)), addr(fmt.Sprintf("fd01::%x", 0x100+i))
		ends[1].Addresses = append(ends[1].Addresses, netip.PrefixFrom(four, 16), netip.PrefixFrom(six, 64))
		hops = append(hops, four, six)
	}
	n, err := lab.Build(lab.Topology{Name: "many", Hosts: []lab.HostPlan{{Name: "a"}, {Name: "b"}}, Links: []lab.LinkPlan{{Ends: ends}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	h := n.Host("a")
	for _, family := range []string{"ipv4", "ipv6"} {
		if err := h.Sysctl("net/"+family+"/neigh/eth/retrans_time_ms", "300"); err != nil {
			t.Fatal(err)
		}
	}
	absent := []netip.Addr{addr("10.1.200.1"), addr("fd01::beef")}
	four, six := lookup(t, h, link.Want{Dst: hops[0]}), lookup(t, h, link.Want{Dst: hops[1]})
	// One that the kernel knows already, and asks for if it is not: what it has
	// is taken.
	ip(t, h, "neigh add 10.1.1.1 lladdr 02:00:00:00:00:77 dev eth")
	var found map[netip.Addr][6]byte
	in(t, h, func() (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		found, err = link.Neighbours(ctx, [2]*link.Envelope{&four, &six}, append(hops, absent...))
		return err
	})
	want := found[hops[1]]
	for i, hop := range hops {
		if mac, ok := found[hop]; i > 0 && (mac != want || !ok || mac == [6]byte{}) {
			t.Errorf("%s: %x, %t", hop, mac, ok)
		}
	}
	if found[hops[0]] != [6]byte{2, 5: 0x77} || len(found) != len(hops) {
		t.Errorf("%d of %d are found, %s at %x", len(found), len(hops), hops[0], found[hops[0]])
	}
	// IPv6 next hops of an IPv4 survey (RFC 5549).
	in(t, h, func() (err error) {
		found, err = link.Neighbours(t.Context(), [2]*link.Envelope{&four}, hops[1:2])
		return err
	})
	if found[hops[1]] != want {
		t.Errorf("%s: %x", hops[1], found[hops[1]])
	}
	// An end of the context ends the asking.
	in(t, h, func() (err error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		found, err = link.Neighbours(ctx, [2]*link.Envelope{&four, &six}, absent)
		return err
	})
	if len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

// The router tells what the kernel would do with a packet.
func TestRouter(t *testing.T) {
	n := openLine(t)
	h := n.Host("h1")
	for _, r := range []string{
		"route add blackhole 20.1.0.0/16", "route add unreachable 20.2.0.0/16", "route add prohibit 20.3.0.0/16", "route add throw 20.4.0.0/16",
		"route add blackhole 2600:1::/32", "route add unreachable 2600:2::/32", "route add prohibit 2600:3::/32",
		"route add 20.5.0.0/16 via inet6 fd00:100::20 dev veth1-h1", "route add 20.6.0.0/16 via 192.168.100.20 mtu 1300",
		"route add 20.7.0.0/16 via 192.168.100.20 table 99", "rule add to 20.8.0.0/16 unreachable",
	} {
		ip(t, h, r)
	}
	in(t, h, func() error {
		r, err := link.OpenRouter(link.Want{})
		if err != nil {
			return err
		}
		defer r.Close()
		for dst, want := range map[string]string{
			"20.1.0.1": "4 invalid argument", "20.2.0.1": "4 no route to host", "20.3.0.1": "4 permission denied", "20.8.0.1": "4 network is unreachable",
			"2600:1::1": "4 invalid argument", "2600:2::1": "4 no route to host", "2600:3::1": "4 permission denied",
			"20.4.0.1": "4 network is unreachable", "20.5.0.1": "0 fd00:100::20", "20.6.0.1": "0 192.168.100.20 1300", "2600:5::1": "0 fd00:100::20",
			"192.168.100.77": "1", "fd00:100::77": "1", "192.168.100.10": "2", "::1": "2", "192.168.100.255": "3", "ff02::1": "3", "224.0.0.1": "3",
		} {
			steps, err := r.Steps([]netip.Addr{addr(dst)}, netip.Addr{}, true)
			if err != nil {
				return err
			}
			s := steps[0]
			if s.Equal != nil {
				t.Errorf("%s: next hops %v", dst, s.Equal)
			}
			got := fmt.Sprint(uint8(s.Way))
			switch {
			case s.Err != nil:
				got += " " + s.Err.Error()
			case s.Way == link.ByGateway:
				got += " " + s.NextHop.String()
				if s.MTU > 0 {
					got += fmt.Sprint(" ", s.MTU)
				}
			}
			if got != want {
				t.Errorf("%s: %s, want %s", dst, got, want)
			}
		}
		tables, err := r.Tables(false)
		if err != nil {
			return err
		}
		list := tables.Prefixes
		seen := map[string]bool{}
		for i, p := range list {
			seen[p.String()] = true
			if i > 0 && list[i-1].Compare(p) >= 0 {
				t.Errorf("%s and then %s", list[i-1], p)
			}
		}
		for _, p := range []string{"0.0.0.0/0", "20.1.0.0/16", "20.7.0.0/16", "20.8.0.0/16", "192.168.100.0/24", "192.168.100.10/32", "127.0.0.0/8"} {
			if !seen[p] {
				t.Errorf("%s is not among %v", p, list)
			}
		}
		if tables.BySource || tables.Equal {
			t.Error("nothing looks at the source, and no route has several next hops")
		}
		return nil
	})
	ip(t, h, "rule add from 192.168.100.10 table 99")
	in(t, h, func() error {
		r, err := link.OpenRouter(link.Want{})
		if err != nil {
			return err
		}
		defer r.Close()
		tables, err := r.Tables(false)
		if err == nil && !tables.BySource {
			t.Error("a rule looks at the source")
		}
		return err
	})
}
