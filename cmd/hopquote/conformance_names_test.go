package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// 104: the name that a program is called by says the method or the family.
func TestConformanceNames(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	for _, name := range []string{
		"tcpfoo", "tcptraceroute", "tracert", "tracert-more", "trace4", "trace6", "tracert6", "tcptrace4", "traceroute6", "mytracert",
	} {
		for _, dst := range []string{"192.168.120.20", "fd00:120::20"} {
			t.Run("104 "+name+" to "+dst, func(t *testing.T) {
				if strings.Contains(dst, ":") && !n.HasIPv6() {
					t.Skip("the kernel has no IPv6")
				}
				family := strings.Contains(name, "4") && strings.Contains(dst, ":") ||
					strings.Contains(name, "6") && !strings.Contains(dst, ":")
				c := comparison{as: name, args: "-n -q1 -w5 " + dst, silent: family}
				run := func(program string) observation {
					link := filepath.Join(t.TempDir(), name)
					if err := os.Symlink(program, link); err != nil {
						t.Fatal(err)
					}
					return w.observe(t, link, c)
				}
				w.judge(t, c, run(theirs(t)), run(ours()))
			})
		}
	}
}

// 103: blanks in a list of waits.
func TestConformanceWaits(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	for _, waits := range []string{"5, 3, 10", "5,3,10", "5/ 3", "5 3 10"} {
		t.Run("103 "+waits, func(t *testing.T) {
			run := func(program string) result {
				return runIn(t, n.Host("h1"), program, "-n", "-q1", "-m1", "-w", waits, "192.168.120.20").timeless()
			}
			want, got := run(theirs(t)), run(ours())
			if diff := cmp.Diff(want, got); diff != "" || got.Code != 0 {
				t.Errorf("(-traceroute +hopquote):\n%s", diff)
			}
		})
	}
}
