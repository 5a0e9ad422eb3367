package internet

import (
	"os"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(backlogVar); dir != "" {
		os.Exit(holdBacklog(dir))
	}
	os.Exit(lab.RunTests(m))
}

// open builds the network of a Config, which goes with the test.
func open(t testing.TB, c Config) *Net {
	t.Helper()
	lab.Skip(t)
	n, err := Open(c)
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

// inKernel is open for a test of the kernel form alone.
func inKernel(t testing.TB, c Config) *Net {
	t.Helper()
	n := open(t, c)
	if n.Form() != InKernel {
		t.Skip("needs the kernel form: ", n.Reason())
	}
	return n
}
