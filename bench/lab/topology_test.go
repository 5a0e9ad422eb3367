package lab

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTopologiesAreSound(t *testing.T) {
	names := Topologies()
	if len(names) == 0 || names[0] != "line" {
		t.Fatalf("Topologies() = %q, want line first", names)
	}
	for _, name := range names {
		plan, ok := Find(name)
		if !ok {
			t.Errorf("Find(%q) finds nothing", name)
		}
		if err := plan.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Count(plan.Drawing(), "\n"); got != len(plan.Links) {
			t.Errorf("%s: drawing has %d lines for %d links", name, got, len(plan.Links))
		}
	}
	if _, ok := Find("nowhere"); ok {
		t.Error(`Find("nowhere") finds a plan`)
	}
}

func TestLineIsThePublishedPlan(t *testing.T) {
	plan, _ := Find("line")
	prefixes := func(ss ...string) (ps []netip.Prefix) {
		for _, s := range ss {
			ps = append(ps, netip.MustParsePrefix(s))
		}
		return ps
	}
	route := func(dst, via string) Route {
		return Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via)}
	}
	want := Topology{
		Name: "line",
		Hosts: []HostPlan{
			{Name: "h1", Routes: []Route{route("0.0.0.0/0", "192.168.100.20"), route("::/0", "fd00:100::20")}},
			{Name: "r1", Router: true, Routes: []Route{route("192.168.120.0/24", "192.168.110.20"), route("fd00:120::/64", "fd00:110::20")}},
			{Name: "r2", Router: true, Routes: []Route{route("192.168.100.0/24", "192.168.110.10"), route("fd00:100::/64", "fd00:110::10")}},
			{Name: "h2", Routes: []Route{route("0.0.0.0/0", "192.168.120.10"), route("::/0", "fd00:120::10")}},
		},
		Links: []LinkPlan{
			{Ends: [2]EndPlan{
				{"h1", "veth1-h1", prefixes("192.168.100.10/24", "fd00:100::10/64")},
				{"r1", "veth1-r1", prefixes("192.168.100.20/24", "fd00:100::20/64")},
			}},
			{Ends: [2]EndPlan{
				{"r1", "veth2-r1", prefixes("192.168.110.10/24", "fd00:110::10/64")},
				{"r2", "veth1-r2", prefixes("192.168.110.20/24", "fd00:110::20/64")},
			}},
			{Ends: [2]EndPlan{
				{"r2", "veth2-r2", prefixes("192.168.120.10/24", "fd00:120::10/64")},
				{"h2", "veth1-h2", prefixes("192.168.120.20/24", "fd00:120::20/64")},
			}},
		},
	}
	if diff := cmp.Diff(want, plan, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Errorf("line differs (-want +got):\n%s", diff)
	}
	const drawing = `  h1  veth1-h1  .10 --- 192.168.100.0/24  fd00:100::/64 --- .20 veth1-r1  r1
  r1  veth2-r1  .10 --- 192.168.110.0/24  fd00:110::/64 --- .20 veth1-r2  r2
  r2  veth2-r2  .10 --- 192.168.120.0/24  fd00:120::/64 --- .20 veth1-h2  h2
`
	if diff := cmp.Diff(drawing, plan.Drawing()); diff != "" {
		t.Errorf("drawing differs (-want +got):\n%s", diff)
	}
}

func TestPlanMistakes(t *testing.T) {
	hosts := []HostPlan{{Name: "a"}, {Name: "b"}}
	link := func(mtu int, a, b EndPlan) []LinkPlan { return []LinkPlan{{MTU: mtu, Ends: [2]EndPlan{a, b}}} }
	for _, tt := range []struct {
		name string
		plan Topology
		want string
	}{
		{"host without a name", Topology{Hosts: []HostPlan{{}}}, `host name ""`},
		{"host twice", Topology{Hosts: []HostPlan{{Name: "a"}, {Name: "a"}}}, `host name "a"`},
		{"unknown host", Topology{Hosts: hosts, Links: link(0, EndPlan{Host: "a", Name: "x"}, EndPlan{Host: "c", Name: "y"})}, `"c", which is no host`},
		{"MTU below IPv4's", Topology{Hosts: hosts, Links: link(67, EndPlan{Host: "a", Name: "x"}, EndPlan{Host: "b", Name: "y"})}, "68..65535"},
		{"MTU too large", Topology{Hosts: hosts, Links: link(65536, EndPlan{Host: "a", Name: "x"}, EndPlan{Host: "b", Name: "y"})}, "68..65535"},
		{"link without a name", Topology{Hosts: hosts, Links: link(0, EndPlan{Host: "a"}, EndPlan{Host: "b", Name: "y"})}, "1..15 bytes"},
		{"link name too long", Topology{Hosts: hosts, Links: link(0, EndPlan{Host: "a", Name: "sixteen-bytes-xx"}, EndPlan{Host: "b", Name: "y"})}, "1..15 bytes"},
		{"link name twice", Topology{Hosts: hosts, Links: link(0, EndPlan{Host: "a", Name: "x"}, EndPlan{Host: "a", Name: "x"})}, "only one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Build(tt.plan)
			if err == nil {
				n.Close()
				t.Fatal("the plan was built")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
		})
	}
}
