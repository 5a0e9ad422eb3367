package internet

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

var hopLine = regexp.MustCompile(`^ *([0-9]+)  ([0-9a-f.:]+)( <MPLS:[^>]*>)?  [0-9.]+ ms$`)

// TestTraceroute has Linux traceroute look at paths, in both forms.
func TestTraceroute(t *testing.T) {
	program, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skip("needs Linux traceroute: apt-get install traceroute")
	}
	forms(t, Config{Seed: 11}, func(t *testing.T, c Config, n *Net) {
		c = c.withDefaults()
		for i, dst := range destinations {
			method := methods[i%3]
			args := []string{"-n", "-q", "1", "-N", "4", "-e", "--" + method.String(), dst.String()}
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				if diff := cmp.Diff(wantHops(&c, dst, method), hops(t, n, program, args)); diff != "" {
					t.Errorf("(-truth +traceroute):\n%s", diff)
				}
			})
		}
	})
}

func wantHops(c *Config, dst netip.Addr, method frame.Method) []string {
	var want []string
	for ttl := 1; ttl <= c.Path(dst); ttl++ {
		truth := c.Answer(dst, ttl, method)
		labels := ""
		if truth.Quoting == Labeled {
			labels = fmt.Sprintf(" <MPLS:L=%d,E=0,S=1,T=1>", truth.Label)
		}
		want = append(want, fmt.Sprintf("%d %s%s", ttl, truth.From, labels))
	}
	return want
}

// hops are the lines that the program prints in the probing host, times left
// out.
func hops(t *testing.T, n *Net, program string, args []string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := n.Host(Prober).StartConfined(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Fatalf("%v, stderr %q", err, errs.String())
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
		if m := hopLine.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + m[2] + m[3]
		}
		got = append(got, line)
	}
	return got
}
