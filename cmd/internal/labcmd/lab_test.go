package labcmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestLabWithoutANetwork(t *testing.T) {
	for _, tt := range []struct {
		name   string
		run    func(args []string) (int, string, string)
		args   string
		status int
		out    string // part of standard output; empty: nothing there
		errs   string // part of standard error; empty: nothing there
	}{
		{"help", callLab, "--help", 0, "--topology NAME", ""},
		{"list", callLab, "--list", 0, "long\n  h1 ", ""},
		{"unknown option", callLab, "--frobnicate", 2, "", "unknown flag: --frobnicate"},
		{"missing value", callLab, "--in", 2, "", "flag needs an argument"},
		{"unknown network", callLab, "-t moebius", 2, "", `no network "moebius"; there are line, pair`},
		{"unknown host", callLab, "-i r3", 2, "", `network line has no host "r3"; it has h1, r1, r2, h2`},
		{"demo help", callDemo, "-h", 0, "Usage: hopquote demo", ""},
		{"demo with an argument", callDemo, "faster", 2, "", `takes no arguments, got "faster"`},
		{"demo with an option", callDemo, "--fast", 2, "", "unknown flag: --fast"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := tt.run(strings.Fields(tt.args))
			if status != tt.status || !part(out, tt.out) || !part(errs, tt.errs) {
				t.Errorf("status %d, output %q, errors %q; want %d, %q, %q", status, out, errs, tt.status, tt.out, tt.errs)
			}
		})
	}
}

// part tells whether s holds what is wanted; of nothing wanted, whether s is nothing.
func part(s, want string) bool {
	if want == "" {
		return s == ""
	}
	return strings.Contains(s, want)
}

func callLab(args []string) (int, string, string) {
	var out, errs bytes.Buffer
	status := Lab(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func callDemo(args []string) (int, string, string) {
	var out, errs bytes.Buffer
	status := Demo(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func TestLabRunsACommand(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want result // errors: a part of them
	}{
		{"in h1", []string{"SELF", "trace", "x"}, result{0, "trace x on veth1-h1\n", ""}},
		{"in another host", []string{"--in", "r1", "--", "SELF", "trace", "x"}, result{0, "trace x on veth1-r1,veth2-r1\n", ""}},
		{"in another network", []string{"-t", "long", "-i", "r16", "--", "SELF", "trace"}, result{0, "trace  on veth1-r16,veth2-r16\n", ""}},
		{"the command's own options", []string{"sh", "-c", "exit 7"}, result{7, "", ""}},
		{"ended by a signal", []string{"--", "sh", "-c", "kill -KILL $$"}, result{137, "", ""}},
		{"not there", []string{"--", "nonesuch-program"}, result{127, "", "hopquote lab: start nonesuch-program in h1: "}},
		{"no such path", []string{"--", "/nonesuch/program"}, result{127, "", "no such file"}},
		{"not runnable", []string{"--", "/etc/passwd"}, result{126, "", "permission denied"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := hopquote(t, "quick", append([]string{"lab"}, tt.args...)...)
			for i, a := range cmd.Args {
				if a == "SELF" {
					cmd.Args[i] = filepath.Base(cmd.Path) // found by PATH alone
				}
			}
			got := finish(t, cmd)
			if got.status != tt.want.status || got.out != tt.want.out || !part(got.errors, tt.want.errors) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestLabShell(t *testing.T) {
	t.Setenv("SHELL", "/bin/sh")
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T) func() result
		enter   string
	}{
		{"same user", func(t *testing.T) func() result {
			return func() result { return shellResult(t, false) }
		}, ""},
		{"ordinary user", func(t *testing.T) func() result {
			return func() result { return shellResult(t, true) }
		}, "-U --preserve-credentials "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.prepare(t)()
			if got.status != 6 || got.out != "from the shell\n" {
				t.Errorf("status %d and %q, want 6 and the shell's output; errors: %s", got.status, got.out, got.errors)
			}
			for _, want := range []string{"veth2-r1  .10 --- 192.168.110.0/24", "hopquote trace 192.168.120.20", tt.enter + "--net=/proc/", "# h2"} {
				if !strings.Contains(got.errors, want) {
					t.Errorf("the greeting does not say %q:\n%s", want, got.errors)
				}
			}
		})
	}
}

func shellResult(t *testing.T, ordinary bool) result {
	t.Helper()
	cmd := hopquote(t, "quick", "lab")
	if ordinary {
		asOrdinaryUser(t, cmd)
	}
	cmd.Stdin = strings.NewReader("echo from the shell\nexit 6\n")
	return finish(t, cmd)
}

func TestLabPassesSignalsOn(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		signal       unix.Signal
		status       int
	}{
		{"ended by SIGINT", "echo ready; while :; do sleep 0.01; done", unix.SIGINT, 130},
		{"ended by SIGTERM", "echo ready; while :; do sleep 0.01; done", unix.SIGTERM, 143},
		{"status of its own", "trap 'exit 9' INT; echo ready; while :; do sleep 0.01; done", unix.SIGINT, 9},
	} {
		for _, user := range []string{"same user", "ordinary user"} {
			t.Run(tt.name+"/"+user, func(t *testing.T) {
				cmd := hopquote(t, "quick", "lab", "--", "/bin/sh", "-c", tt.script)
				if user != "same user" {
					asOrdinaryUser(t, cmd)
				}
				if got := interrupt(t, cmd, "ready", tt.signal); got != tt.status {
					t.Errorf("status %d, want %d", got, tt.status)
				}
			})
		}
	}
}

func TestFarAddress(t *testing.T) {
	line, _ := lab.Find("line")
	for host, want := range map[string]string{"h1": "192.168.120.20", "r1": "192.168.120.20", "h2": "192.168.100.10"} {
		if got, ok := farAddress(line, host); !ok || got != want {
			t.Errorf("from %s: %q, %t, want %q", host, got, ok, want)
		}
	}
	if got, ok := farAddress(lab.Topology{}, "h1"); ok {
		t.Errorf("without links: %q", got)
	}
}

func TestShell(t *testing.T) {
	t.Setenv("SHELL", "/bin/some")
	if got := shell(); got != "/bin/some" {
		t.Errorf("shell() = %q", got)
	}
	os.Unsetenv("SHELL")
	if got := shell(); got != "/bin/sh" {
		t.Errorf("shell() without $SHELL = %q", got)
	}
}
