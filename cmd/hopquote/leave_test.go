package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPacketSocketsEnd looks for sockets that traces have left behind: those of
// a run are closed a moment after it, however many runs there were.
func TestPacketSocketsEnd(t *testing.T) {
	n := openLab(t, "line")
	for range 20 {
		if got := runIn(t, n.Host("h1"), ours(), "-n", farHost); got.Code != 0 || got.Stderr != "" {
			t.Fatalf("%+v", got)
		}
	}
	var open []string
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		err := n.Host("h1").Do(func() error {
			b, err := os.ReadFile("/proc/thread-self/net/packet")
			open = strings.Split(strings.TrimSpace(string(b)), "\n")[1:] // the first line is a heading
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(open) == 0 {
			return
		}
	}
	t.Errorf("packet sockets open %v after the last run:\n%s", limit, strings.Join(open, "\n"))
}

// TestTraceAsInit runs as the first process of a PID namespace, at whose end
// every other one is killed.
func TestTraceAsInit(t *testing.T) {
	n := openLab(t, "line")
	args := []string{"-n", patient, farHost}
	want := runIn(t, n.Host("h1"), ours(), args...).timeless()
	cmd := exec.Command(ours(), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	same(t, finish(t, n.Host("h1"), cmd).timeless(), want)
}
