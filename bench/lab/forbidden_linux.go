package lab

import (
	"fmt"
	"os"
	"strings"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// forbidden says why an ordinary user gets no namespaces here, and wraps err.
func forbidden(err error) error {
	const need = "test networks need root or a user namespace"
	for _, s := range []struct{ file, value, hint string }{
		{"user/max_user_namespaces", "0", "user.max_user_namespaces is 0"},
		{"user/max_net_namespaces", "0", "user.max_net_namespaces is 0"},
		{"kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns is 1"},
	} {
		b, rerr := os.ReadFile("/proc/sys/" + s.file)
		if rerr == nil && strings.TrimSpace(string(b)) == s.value {
			return fmt.Errorf("%s, and %s: %w", need, s.hint, err)
		}
	}
	return fmt.Errorf("%s, and the kernel gives this process none (a container's seccomp filter may be why): %w", need, err)
}

// loopbackUp sets up the loopback of the namespace that Reexec made, where
// whatever is not inside a Host runs.
func loopbackUp() error {
	conn, err := rtnetlink.Dial(nil)
	if err != nil {
		return fmt.Errorf("lab: open rtnetlink: %w", err)
	}
	defer conn.Close()
	err = conn.Link.Set(&rtnetlink.LinkMessage{Index: 1, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	if err != nil {
		return fmt.Errorf("lab: set the loopback up: %w", err)
	}
	return nil
}
