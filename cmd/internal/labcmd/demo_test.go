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

Next: bin/hopquote lab    and in it: hopquote trace -T 192.168.120.20
`

func TestDemo(t *testing.T) {
	const failures = `hopquote demo: failed: h1$ hopquote trace -T 192.168.120.20: exit status 3
hopquote demo: failed: h1$ hopquote trace -T -p 11111 192.168.120.20: exit status 3
`
	for _, tt := range []struct {
		name, role string
		ordinary   bool
		want       result
	}{
		{"all is well", "quick", false, result{0, demoOutput, ""}},
		{"as an ordinary user", "quick", true, result{0, demoOutput, ""}},
		{"two traces fail", "fail TCP", false, result{1, demoOutput, failures}},
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
	steps := []step{{"h1", []string{"-c", "exec sleep 1000"}}, {"h2", []string{"-c", "exec sleep 1000"}}}
	if got := demonstrate("/bin/sh", steps, 50*time.Millisecond, &out, &errs); got != 1 {
		t.Errorf("status %d, want 1", got)
	}
	if got := strings.Count(errs.String(), "the demo's time was over"); got != 2 {
		t.Errorf("%d of 2 traces were reported as killed:\n%s", got, &errs)
	}
}
