package survey

import (
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// An interface that goes down ends the run with code 3 and a line that tells how
// to go on, and nothing is missing once it is up again.
func TestInterfaceDown(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip (iproute2): the test takes the link down")
	}
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8}
	n := open(t, truth)
	ip := func(args ...string) {
		cmd := exec.Command("ip", args...)
		if err := n.Host(internet.Prober).Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
	}
	dir := t.TempDir()
	_, lines, wait := started(t, n, "--mode=full", "--status=json", "--status-interval=20ms", "--rate=400", "-m", "8", "-w", "1s",
		"-o", "replies:"+dir+"/out", "20.0.0.0/24")
	until(t, lines)
	ip("link", "set", internet.ProberLink, "down")
	rest, _ := io.ReadAll(lines)
	if code := wait(); code != 3 || !strings.Contains(string(rest), "; go on with: hopquote survey --resume "+dir+"/out.checkpoint\n") {
		t.Fatalf("exit code %d: %s", code, rest)
	}
	before := readReplies(t, dir+"/out", truth, frame.UDP)
	ip("link", "set", internet.ProberLink, "up")
	ip("route", "add", "default", "via", "10.99.0.254")
	goOn(t, n, dir+"/out.checkpoint")
	got := readReplies(t, dir+"/out", truth, frame.UDP)
	if len(before) == 0 || len(got) != 8*256 {
		t.Errorf("%d replies before, %d in all, want %d", len(before), len(got), 8*256)
	}
}
