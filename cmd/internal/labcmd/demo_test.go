package labcmd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

const demoOutput = `A network inside this machine:

  h1  veth1-h1  .10 --- 192.168.100.0/24  fd00:100::/64 --- .20 veth1-r1  r1
  r1  veth2-r1  .10 --- 192.168.110.0/24  fd00:110::/64 --- .20 veth1-r2  r2
  r2  veth2-r2  .10 --- 192.168.120.0/24  fd00:120::/64 --- .20 veth1-h2  h2

h1$ hopquote trace 192.168.120.20
trace 192.168.120.20 on veth1-h1

h1$ hopquote trace -I 192.168.120.20
trace -I 192.168.120.20 on veth1-h1

h1$ hopquote trace -T 192.168.120.20
trace -T 192.168.120.20 on veth1-h1

h1$ hopquote trace -T -p 11111 192.168.120.20
trace -T -p 11111 192.168.120.20 on veth1-h1

h1$ hopquote trace -6 fd00:120::20
trace -6 fd00:120::20 on veth1-h1

r1$ hopquote trace -i veth2-r1 192.168.120.20
trace -i veth2-r1 192.168.120.20 on veth1-r1,veth2-r1

r2$ hopquote trace -i veth1-r2 192.168.100.10
trace -i veth1-r2 192.168.100.10 on veth1-r2,veth2-r2

h1$ hopquote trace -q 10 -N 300 192.168.120.20
trace -q 10 -N 300 192.168.120.20 on veth1-h1

The same with links that carry less and less:

  h1  veth1-h1  .10 --- 192.168.100.0/24  fd00:100::/64 --- .20 veth1-r1  r1  mtu 1500
  r1  veth2-r1  .10 --- 192.168.110.0/24 --- .20 veth1-r2  r2  mtu 1000
  r2  veth2-r2  .10 --- 192.168.120.0/24 --- .20 veth1-h2  h2  mtu 500

h1$ hopquote trace -N 1 -q 1 -F --mtu -I 192.168.120.20
trace -N 1 -q 1 -F --mtu -I 192.168.120.20 on veth1-h1

A simulated path with MPLS, a silent router and a firewall, by this script:

  source 10.9.9.1/24 gateway 10.9.9.254
  target 10.2.2.2
  name 10.2.2.2 server.example
  default delay 2ms
  hop 1 te from 10.1.1.1
  hop 2 te from 10.1.2.1 delay 8ms mpls 24005/0/1/1
  hop 3 silent                                         # a router that never answers
  hop 4 te from 10.1.4.1 delay 12ms mpls 24017/0/0/1,100/2/1/1
  hop 5- tcp 25 unreach 13 from 10.1.5.1 delay 14ms    # a firewall
  dest udp port-unreachable delay 15ms
  dest tcp 80 synack delay 15ms
  dest icmp echo delay 15ms

h1$ hopquote trace -e server.example
trace -e server.example on veth1-h1

h1$ hopquote trace -T -p 25 server.example
trace -T -p 25 server.example on veth1-h1

Next: bin/hopquote lab    and in it: hopquote trace -T 192.168.120.20
`

func TestDemo(t *testing.T) {
	const failures = `hopquote demo: failed: h1$ hopquote trace -T 192.168.120.20: exit status 3
hopquote demo: failed: h1$ hopquote trace -T -p 11111 192.168.120.20: exit status 3
hopquote demo: failed: h1$ hopquote trace -T -p 25 server.example: exit status 3
`
	for _, tt := range []struct {
		name, role string
		ordinary   bool
		want       result
	}{
		{"all is well", "quick", false, result{0, demoOutput, ""}},
		{"as an ordinary user", "quick", true, result{0, demoOutput, ""}},
		{"three traces fail", "fail TCP", false, result{1, demoOutput, failures}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := hopquote(t, tt.role, "demo")
			if tt.ordinary {
				asOrdinaryUser(t, cmd)
			}
			if diff := cmp.Diff(tt.want, finish(t, cmd), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDemoInterrupted(t *testing.T) {
	for _, user := range []string{"same user", "ordinary user"} {
		for s, want := range map[unix.Signal]int{unix.SIGINT: 130, unix.SIGTERM: 143} {
			t.Run(fmt.Sprintf("%s-%v", user, s), func(t *testing.T) {
				cmd := hopquote(t, "hang", "demo")
				if user != "same user" {
					asOrdinaryUser(t, cmd)
				}
				if got := interrupt(t, cmd, "on veth1-h1", s); got != want {
					t.Errorf("status %d, want %d", got, want)
				}
			})
		}
	}
}

func TestDemoEndsInTime(t *testing.T) {
	lab.Skip(t)
	var out, errs bytes.Buffer
	d := &demo{self: "/bin/sh", deadline: time.Now().Add(50 * time.Millisecond), stdout: &out, stderr: &errs}
	scenes := []scene{
		{"first", "line", []step{{"h1", []string{"-c", "exec sleep 1000"}}}},
		{"second", "pair", []step{{"h2", []string{"-c", "exec sleep 1000"}}}},
	}
	if got := d.show(scenes); got != 1 {
		t.Errorf("status %d, want 1", got)
	}
	if got := strings.Count(errs.String(), "the demo's time was over"); got != 2 {
		t.Errorf("%d of 2 traces were reported as killed:\n%s", got, &errs)
	}
}
