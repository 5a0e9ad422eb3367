package survey

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The progress is told once there is any, over the line before it on a terminal,
// which is cleared for what else is told.
func TestNamesProgress(t *testing.T) {
	const one, two = "host names: 0 looked up, 1 under way", "host names: 1 looked up, 0 under way"
	const out = "hopquote survey: list, line 1: x.example is left out: lookup x.example: no such host\n"
	clear := "\r" + strings.Repeat(" ", len(one)) + "\r"
	for over, want := range map[bool]string{
		false: one + "\n" + two + "\n" + out + two + "\n",
		true:  one + clear + two + clear + out + two + clear,
	} {
		var told strings.Builder
		n := &hostNames{stderr: &told, known: map[string]named{}}
		n.ask = func(_ context.Context, host string) (netip.Addr, error) {
			n.report(over)
			return netip.Addr{}, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		n.report(over)
		_, err := n.lookup(t.Context(), "x.example")
		n.report(over)
		n.leaveOut("list, line 1", "x.example", err)
		tick := make(chan time.Time)
		end := n.tell(tick, over)
		tick <- time.Time{}
		end()
		if d := cmp.Diff(want, told.String()); d != "" {
			t.Errorf("on a terminal: %v (-want +got):\n%s", over, d)
		}
	}
}

// Without a terminal, or where reports are of another form, nothing is told.
func TestNamesNoProgress(t *testing.T) {
	t.Setenv(nameServer, t.TempDir()+"/names")
	for _, form := range []string{"auto", "json", "none", "text"} {
		cmd, _, stderr := command(t, "--dry-run", "--status="+form, "--status-interval=10ms", "-")
		cmd.Stdin = strings.NewReader("20.0.0.1\n")
		_ = cmd.Run()
		if stderr.Len() > 0 {
			t.Errorf("--status=%s, a list without names: %s", form, stderr)
		}
	}
	for _, form := range []string{"auto", "json", "none"} {
		end := (&hostNames{begun: 1}).progress(&options{status: form, interval: time.Nanosecond}, Std{}) // has nowhere to tell it
		end()
	}
}

// A signal ends it at once while names are looked up. SIGINT would do the same, but
// is ignored where tests run in the background of a shell.
func TestNamesInterrupted(t *testing.T) {
	fifo := t.TempDir() + "/names"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(nameServer, fifo)
	cmd, _, stderr := command(t, "--dry-run", "-")
	cmd.Stdin = strings.NewReader("one.example\ntwo.example\n")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0) // once a name is looked up, which waits for what stands in there
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGTERM || stderr.Len() > 0 {
		t.Errorf("%v: %s", cmd.ProcessState, stderr)
	}
}
