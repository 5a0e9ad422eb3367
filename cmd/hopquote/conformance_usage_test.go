package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
)

// refused is a run that ends before the first probe.
type refused struct {
	args []string
	code int
	// headed: the header line, without its newline, is on standard output.
	headed bool
}

func words(s string) []string { return strings.Fields(s) }

// compareRefused runs both programs, and compares what they wrote with each
// other and with what is expected.
func compareRefused(t *testing.T, h *lab.Host, r refused) {
	t.Helper()
	run := func(program string) result {
		cmd := exec.Command(program)
		cmd.Args = append([]string{"traceroute"}, r.args...)
		return finish(t, h, cmd)
	}
	want, got := run(theirs(t)), run(ours())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("traceroute %q (-traceroute +hopquote):\n%s", r.args, diff)
	}
	if got.Code != r.code {
		t.Errorf("traceroute %q: exit %d, want %d", r.args, got.Code, r.code)
	}
	if headed := got.Stdout != ""; headed != r.headed || strings.HasSuffix(got.Stdout, "\n") {
		t.Errorf("traceroute %q: standard output %q, header expected: %t", r.args, got.Stdout, r.headed)
	}
	if empty := strings.HasPrefix(got.Stderr, "\n"); empty != (r.code == 1) {
		t.Errorf("traceroute %q: standard error %q, empty first line: %t", r.args, got.Stderr, empty)
	}
}

// 98 and 30: command lines that can't be used.
func TestConformanceUsage(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	for _, args := range [][]string{
		words("-n"),
		words("-Z 192.168.120.20"), words("-X3 192.168.120.20"),
		words("--bogus"), words("--bogus=3"), words("--bogus 192.168.120.20"),
		words("192.168.120.20 -5"),
		words("-m"), words("192.168.120.20 -m"),
		words("-nq1"), words("-nq1 192.168.120.20"),
		words("--max-hops 2 192.168.120.20"),
		words("--sport abc"), words("--sport"),
		words("-m abc 192.168.120.20"), words("-f abc 192.168.120.20"), words("-N abc 192.168.120.20"),
		words("-q abc 192.168.120.20"), words("-t abc 192.168.120.20"), words("-l abc 192.168.120.20"),
		words("-z abc 192.168.120.20"), words("-w abc 192.168.120.20"), words("-p abc- 192.168.120.20"),
		words("-mabc 192.168.120.20"), {"-m", "", "192.168.120.20"}, words("-q 3x 192.168.120.20"),
		words("-w 1,2,3,4 192.168.120.20"), words("-w 1,2, 192.168.120.20"),
		words("--sport=abc 192.168.120.20"), words("--fwmark=abc 192.168.120.20"),
		words("192.168.120.20 abc"), {"192.168.120.20", ""}, words("-n 192.168.120.20 60x"),
		words("192.168.120.20 28 extra"), words("192.168.120.20 28 extra more"),
		words("-4 fd00:120::20"), words("-6 192.168.120.20"), words("-6 ::ffff:192.168.120.20"),
		words("-f 0 192.168.120.20"), words("-f 31 192.168.120.20"), words("-m 0 192.168.120.20"),
		words("-f 5 -m 3 192.168.120.20"), words("-f -1 192.168.120.20"),
		words("-m 256 192.168.120.20"), words("-m -1 192.168.120.20"),
		words("-q 0 192.168.120.20"), words("-q 11 192.168.120.20"), words("-q -1 192.168.120.20"),
		words("-w -1 192.168.120.20"), words("-w 1,-2,3 192.168.120.20"), words("-w 1.5,2,-0.25 192.168.120.20"),
		words("-z -1 192.168.120.20"), words("-z -0.5 192.168.120.20"),
		words("192.168.120.20 65001"), words("-T 192.168.120.20 65001"), words("fd00:120::20 65001"),
		words("-s fd00:100::10 192.168.120.20"), words("-s 192.168.100.10 fd00:120::20"),
		words("-M nope 192.168.120.20"), words("-M nope -q 0 192.168.120.20"),
		words("-g 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8,10.0.0.9 192.168.120.20"),
		words("nosuch.example"), words("-6 nosuch.example"), words("-n -s badname 192.168.120.20"), // no name server
		words("-g nosuch.example 192.168.120.20"), words("-g fd00::1 192.168.120.20"),
		words("-T -O mss 192.168.120.20"), words("-T -O mss=abc 192.168.120.20"),
		words("-T -O bogus 192.168.120.20"), words("-T -O bogus=1 192.168.120.20"), words("-I -O bogus 192.168.120.20"),
		words("-I -O raw,dgram 192.168.120.20"),
		words("-P noproto 192.168.120.20"),
		words("-Z -q 0"), words("-q 0 -m 0 192.168.120.20"), words("-q 0 -m 256 192.168.120.20"),
		words("-q 11 -w -1 192.168.120.20"), words("-w -1 192.168.120.20 65001"), words("-z -1 192.168.120.20 65001"),
	} {
		t.Run("98 "+strings.Join(args, " "), func(t *testing.T) {
			compareRefused(t, n.Host("h1"), refused{args: args, code: 2})
		})
	}
}
