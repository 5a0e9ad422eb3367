package lab

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// TestSetHosts checks that programs started in the host see the new file, and
// that nobody else does.
func TestSetHosts(t *testing.T) {
	before, err := os.ReadFile(hostsFile)
	if err != nil {
		t.Skipf("needs a hosts file to mount over: %v", err)
	}
	n := open(t, "pair")
	see := func(host string) string {
		t.Helper()
		cmd := exec.Command("cat", hostsFile)
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := n.Host(host).Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, text := range []string{"10.1.1.1 first\n", "10.1.1.1 second\n"} {
		if err := n.Host("h1").SetHosts([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := see("h1"); got != text {
			t.Errorf("h1 has hosts file %q, want %q", got, text)
		}
	}
	if got := see("h2"); got != string(before) {
		t.Errorf("h2 has hosts file %q, want the machine's %q", got, before)
	}
	if after, err := os.ReadFile(hostsFile); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the machine's hosts file became %q, %v", after, err)
	}
	n.Close()
	if err := n.Host("h1").SetHosts(nil); err == nil {
		t.Error("SetHosts after Close gave no error")
	}
}
