// Package privilege says whether this process may probe, and gives up what it
// no longer needs.
package privilege

import (
	"fmt"
	"os"
	"strings"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// MayProbe tells whether this process may open packet sockets.
func MayProbe() bool {
	ok, err := cap.GetProc().GetFlag(cap.Effective, cap.NET_RAW)
	// A kernel that can't be asked will say itself.
	return ok || err != nil
}

// Advice is the one line for who may not.
func Advice() string {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return fmt.Sprintf("hopquote: probing needs the capability CAP_NET_RAW: run it as root, or once: sudo setcap cap_net_raw+ep %s", shellWord(path))
}

// shellWord is s as a shell reads it back, in quotes only where it needs them.
func shellWord(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@%="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Drop gives up every capability for good, those that are kept aside. All
// sockets are open by then, and nothing later needs one.
func Drop(kept ...cap.Value) error {
	set := cap.NewSet()
	for _, flag := range []cap.Flag{cap.Permitted, cap.Effective} {
		if err := set.SetFlag(flag, true, kept...); err != nil {
			return fmt.Errorf("keep capabilities %v: %w", kept, err)
		}
	}
	if err := set.SetProc(); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	return nil
}
