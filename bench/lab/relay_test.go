package lab

import (
	"bufio"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRelay(t *testing.T) {
	for _, tt := range []struct {
		name   string
		signal unix.Signal
		status int
		says   string
	}{
		{"passed on", unix.SIGTERM, 5, "first terminated killed <nil>\n"},
		{"killed when not heeded", unix.SIGHUP, 128 + int(unix.SIGKILL), "first hangup killed hangup\n"},
		{"not one that ends", unix.SIGUSR1, 128 + int(unix.SIGUSR1), "first <nil> killed <nil>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := helperCommand("relay")
			cmd.SysProcAttr = ownSession()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			r := bufio.NewReader(out)
			if line, err := r.ReadString('\n'); err != nil || line != "ready\n" {
				t.Fatalf("the child says %q, %v", line, err)
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if got := ExitStatus(cmd.ProcessState); got != tt.status || string(rest) != tt.says {
				t.Errorf("status %d and %q, want %d and %q", got, rest, tt.status, tt.says)
			}
		})
	}
}
