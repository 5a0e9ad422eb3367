package survey

import (
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/cmd/internal/output/capture/wireshark"
)

// openUplinks builds a network of Linux hosts, in which p's probes leave by the
// first of its links and what t sends back, for r and itself, comes by the
// second.
//
//	p .10 --- 10.0.1.0/24, fd00:1::/64 --- .20 r
//	p .10 --- 10.0.2.0/24, fd00:2::/64 --- .20 t
//	r .10 --- 10.0.3.0/24, fd00:3::/64 --- .20 t
//
// The targets are t's, 10.0.9.0/24 and fd00:9::1 to fd00:9::4.
func openUplinks(t *testing.T) *lab.Net {
	t.Helper()
	lab.Skip(t)
	end := func(host, name string, link, part int) lab.EndPlan {
		return lab.EndPlan{Host: host, Name: name, Addresses: []netip.Prefix{
			netip.MustParsePrefix(fmt.Sprintf("10.0.%d.%d/24", link, part)),
			netip.MustParsePrefix(fmt.Sprintf("fd00:%d::%d/64", link, part)),
		}}
	}
	route := func(dst, via string) lab.Route {
		return lab.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via)}
	}
	n, err := lab.Build(lab.Topology{
		Name: "uplinks",
		Hosts: []lab.HostPlan{
			{Name: "p", Routes: []lab.Route{route("0.0.0.0/0", "10.0.1.20"), route("::/0", "fd00:1::20")}},
			{Name: "r", Router: true, Routes: []lab.Route{route("10.0.9.0/24", "10.0.3.20"), route("fd00:9::/64", "fd00:3::20")}},
			{Name: "t", Routes: []lab.Route{route("10.0.1.0/24", "10.0.2.10"), route("fd00:1::/64", "fd00:2::10")}},
		},
		Links: []lab.LinkPlan{
			{Ends: [2]lab.EndPlan{end("p", "first", 1, 10), end("r", "to-p", 1, 20)}},
			{Ends: [2]lab.EndPlan{end("p", "second", 2, 10), end("t", "to-p", 2, 20)}},
			{Ends: [2]lab.EndPlan{end("r", "to-t", 3, 10), end("t", "to-r", 3, 20)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	own := []string{"10.0.9.1/24"}
	if n.HasIPv6() {
		own = append(own, "fd00:9::1/128", "fd00:9::2/128", "fd00:9::3/128", "fd00:9::4/128")
	}
	for _, a := range own {
		if err := n.Host("t").AddAddress("lo", netip.MustParsePrefix(a)); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// Replies that come by another interface come to the loop that they are for,
// once, and to the files.
func TestElsewhere(t *testing.T) {
	n := openUplinks(t)
	targets, want := []string{"10.0.9.0/29"}, map[point]netip.Addr{}
	for i := range 8 {
		a := netip.AddrFrom4([4]byte{10, 0, 9, byte(i)})
		want[point{a, 1, 0}], want[point{a, 2, 0}] = netip.MustParseAddr("10.0.1.20"), a
	}
	if n.HasIPv6() {
		targets = append(targets, "fd00:9::1-fd00:9::4")
		for i := range 4 {
			a := netip.MustParseAddr(fmt.Sprintf("fd00:9::%d", i+1))
			want[point{a, 1, 0}], want[point{a, 2, 0}] = netip.MustParseAddr("fd00:1::20"), a
		}
	}
	for _, mode := range modes {
		for method := range names {
			for _, loops := range []string{"1", "3"} {
				t.Run(mode+"/"+method+"/"+loops, func(t *testing.T) {
					dir := t.TempDir()
					args := append([]string{
						"--allow-reserved", "--mode", mode, "-M", method, "--loops", loops, "-m", "2", "-w", "5s", "--rate", "2000",
						"--metadata", dir + "/meta", "-o", "replies:" + dir + "/replies", "-o", "pcapng:" + dir + "/frames",
					}, targets...)
					cmd, _, stderr := command(t, args...)
					if err := n.Host("p").Start(cmd); err != nil {
						t.Fatal(err)
					}
					if err := cmd.Wait(); err != nil {
						t.Fatalf("%v: %s", err, stderr)
					}
					if diff := cmp.Diff(want, repliesIn(t, dir+"/replies"), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
						t.Errorf("replies (-want +got):\n%s", diff)
					}
					var meta metadata
					read(t, dir+"/meta", &meta)
					if c := meta.Counts; c.Matched != uint64(len(want)) || c.Duplicate != 0 || c.Received != c.Matched+c.Stray || !c.Balanced() {
						t.Errorf("counts %+v, want %d matched", c, len(want))
					}
					if in := checkFrames(t, dir+"/frames"); in != nil && (in["first"] != len(want)/2 || in["second"] != len(want)/2) {
						t.Errorf("frames received %v, want %d", in, len(want))
					}
				})
			}
		}
	}
}

// repliesIn are the replies in a file of that output, each exact and once.
func repliesIn(t *testing.T, file string) map[point]netip.Addr {
	t.Helper()
	rows := rowsOf(t, file)
	got := map[point]netip.Addr{}
	for _, r := range rows[1:] {
		p := point{dst: netip.MustParseAddr(r[0])}
		p.ttl, _ = strconv.Atoi(r[1])
		p.flow, _ = strconv.Atoi(r[2])
		if _, ok := got[p]; ok || r[11] != "exact" {
			t.Errorf("%v a second time or not exact", r)
		}
		got[p] = netip.MustParseAddr(r[4])
	}
	return got
}

// A survey that is killed, gone on with, interrupted and gone on with again has
// one capture of all, in which every frame is of its interface.
func TestElsewhereResume(t *testing.T) {
	n := openUplinks(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			brokenOff(t, n.Host("p"), dir+"/kept", 60,
				"--allow-reserved", "--mode", mode, "-m", "2", "-w", "3s", "--rate", "700", "--flows", "3", "--checkpoint-interval=50ms",
				"-o", "replies:"+dir+"/replies", "-o", "pcapng:"+dir+"/frames", "10.0.9.0/25")
			by := map[string]int{}
			for p, from := range repliesIn(t, dir+"/replies") {
				if from == p.dst {
					by["second"]++
				} else {
					by["first"]++
				}
			}
			if in := checkFrames(t, dir+"/frames"); in != nil && !maps.Equal(in, by) || by["second"] < 3*128 {
				t.Errorf("frames received %v, and replies are %v", in, by)
			}
		})
	}
}

// checkFrames has Wireshark, if it is there, read a capture, and counts the
// frames received by the name of their interface.
func checkFrames(t *testing.T, file string) map[string]int {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		return nil
	}
	out, err := wireshark.Headers(file, "-T", "fields", "-E", "separator=,",
		"-e", "frame.packet_flags_direction", "-e", "eth.dst", "-e", "eth.src", "-e", "_ws.malformed",
		"-e", "frame.interface_id", "-e", "frame.interface_name", "-e", "frame.encap_type")
	if err != nil {
		t.Fatal(err)
	}
	in, numbers := map[string]int{}, map[string]string{"first": "0", "second": "1"}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		sent, other := f[0] == "0x00000002", f[5] == "second"
		if !sent {
			in[f[5]]++
		}
		if f[4] != numbers[f[5]] || f[6] != "1" || sent && other || other != (f[1] == "00:00:00:00:00:00") || f[2] == "00:00:00:00:00:00" || f[3] != "" {
			t.Errorf("frame %s", line)
		}
	}
	return in
}
