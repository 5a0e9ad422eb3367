package lab

import (
	"fmt"
	"os"
	"testing"
)

// modeVar makes the test binary play one of the programs in helpers instead
// of running tests.
const modeVar = "HOPQUOTE_LAB_TEST_MODE"

// origin is the namespace of the process's main thread before any test.
var origin, _ = os.Readlink(mainThread)

// mainThread is what other programs take for the process's namespace.
var mainThread = fmt.Sprintf("/proc/%d/ns/net", os.Getpid())

func TestMain(m *testing.M) {
	mode := os.Getenv(modeVar)
	if mode == "" {
		os.Exit(RunTests(m))
	}
	helper, ok := helpers[mode]
	if !ok {
		fmt.Fprintf(os.Stderr, "no helper %q\n", mode)
		os.Exit(125)
	}
	os.Exit(helper())
}

// open builds the named network, which goes with the test.
func open(t *testing.T, name string) *Net {
	t.Helper()
	Skip(t)
	n, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}
