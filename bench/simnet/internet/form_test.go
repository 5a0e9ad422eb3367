package internet

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// innerVar marks the test binary that TestForbidden starts.
const innerVar = "HOPQUOTE_INTERNET_TEST_INNER"

// TestForbidden runs itself as root of a user namespace, who may build
// networks but load no eBPF program: the user-space form takes over and says
// why.
func TestForbidden(t *testing.T) {
	if os.Getenv(innerVar) != "" || lab.Reexecuted() {
		n := open(t, Config{})
		if n.Form() != InUserSpace || !errors.Is(n.Reason(), unix.EPERM) {
			t.Errorf("form %v because %v, want user space because of EPERM", n.Form(), n.Reason())
		}
		return
	}
	lab.Skip(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestForbidden$", "-test.v")
	cmd.Env = append(os.Environ(), innerVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		t.Skip("needs user namespaces: ", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestForbidden") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestForms(t *testing.T) {
	n := inKernel(t, Config{})
	if n.Reason() != nil || n.Form().String() != "kernel (tcx)" {
		t.Errorf("form %v, reason %v", n.Form(), n.Reason())
	}
	u := open(t, Config{UserSpace: true})
	if u.Form() != InUserSpace || u.Form().String() != "user space" || u.Reason() == nil {
		t.Errorf("form %v, reason %v", u.Form(), u.Reason())
	}
}

// TestClosed looks at an Internet that is closed: it answers no more, and keeps
// what it has counted.
func TestClosed(t *testing.T) {
	forms(t, Config{}, func(t *testing.T, c Config, n *Net) {
		if err := n.Internet.Close(); err != nil {
			t.Fatal(err)
		}
		before, err := n.Counters()
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Internet.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		after, err := n.Counters()
		if diff := cmp.Diff(before, after); diff != "" || err != nil {
			t.Errorf("%v, counters (-before +after):\n%s", err, diff)
		}
	})
}

func TestStartErrors(t *testing.T) {
	lab.Skip(t)
	n, err := lab.Build(Topology(Config{}))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, c := range []Config{{}, {UserSpace: true}} {
		if _, err := Start(n.Host(Far), "none", c); err == nil {
			t.Error("starts on an interface that is not there")
		}
	}
	if err := n.Host(Far).SetMTU(FarLink, 1000); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{}, {UserSpace: true}} {
		if _, err := Start(n.Host(Far), FarLink, c); err == nil || !strings.Contains(err.Error(), "MTU 1000") {
			t.Errorf("with an MTU of 1000: %v", err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	tests := map[string]Config{
		"internet: MinHops 65 is not within 1..64":                   {MinHops: 65},
		"internet: MaxHops 3 is not within 4..64":                    {MinHops: 4, MaxHops: 3},
		"internet: Shared -1 is not within 0..64":                    {Shared: -1},
		"internet: Silent 101 is not within 0..100":                  {Silent: 101},
		"internet: SilentHosts -1 is not within 0..100":              {SilentHosts: -1},
		"internet: Labeled 60 is not within 0..50":                   {Minimal: 50, Labeled: 60},
		"internet: Diamonds 101 is not within 0..100":                {Diamonds: 101},
		"internet: Loops -1 is not within 0..100":                    {Loops: -1},
		"internet: Unreachable 41 is not within 0..40":               {Loops: 60, Unreachable: 41},
		"internet: Limited 101 is not within 0..100":                 {Limited: 101},
		"internet: LimitBurst -1 is not within 1..1000000":           {LimitBurst: -1},
		"internet: LimitEvery 25h0m0s is not within 1µs..24h0m0s":    {LimitEvery: 25 * time.Hour},
		"internet: Duplicates 101 is not within 0..100":              {Duplicates: 101},
		"internet: Late 6 is not within 0..5":                        {Duplicates: 95, Late: 6},
		"internet: LateBy 1ns is not within 1µs..1h0m0s":             {LateBy: 1},
		"internet: number of Open ports 9 is not within 0..8":        {Open: make([]uint16, 9)},
		"internet: length of Routers4 25 is not within 8..24":        {Routers4: netip.MustParsePrefix("10.0.0.0/25")},
		"internet: length of Routers6 48 is not within 64..64":       {Routers6: netip.MustParsePrefix("fd00::/48")},
		"internet: Backlog -1 is not within 0..1073741824":           {Backlog: -1},
		"internet: ::1 is not the IPv4 address of a host":            {Gateway4: netip.MustParseAddr("::1")},
		"internet: 224.0.0.1 is not the IPv4 address of a host":      {Gateway4: netip.MustParseAddr("224.0.0.1")},
		"internet: ::ffff:1.2.3.4 is not the IPv6 address of a host": {Gateway6: netip.MustParseAddr("::ffff:1.2.3.4")},
		"internet: fe80::1 is not the IPv6 address of a host":        {Gateway6: netip.MustParseAddr("fe80::1")},
	}
	for want, c := range tests {
		if _, err := Start(nil, "", c); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
