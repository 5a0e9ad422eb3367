package survey

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// asCommand makes this test binary the command itself: a run gives up its
// capabilities, which the tests need.
const asCommand = "HOPQUOTE_TEST_SURVEY"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		if file := os.Getenv(nameServer); file != "" {
			resolve = lookInFile(file)
		}
		os.Exit(Main(os.Args[1:], OS()))
	}
	os.Exit(lab.RunTests(m))
}

// ran is what a run left behind.
type ran struct {
	code        int
	out, stderr string
}

// command is a survey on the probing host of a net.
func command(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = t.TempDir() // for what is left behind where nothing else is said
	// The race detector would have each of hundreds of processes wait a second
	// before it ends.
	cmd.Env = append(os.Environ(), asCommand+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=10")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	return cmd, &out, &stderr
}

// survey runs one to its end.
func survey(t *testing.T, n *internet.Net, stdin string, args ...string) ran {
	t.Helper()
	cmd, out, stderr := command(t, args...)
	cmd.Stdin = bytes.NewBufferString(stdin)
	if err := n.Host(internet.Prober).Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return ran{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// open makes a simulated Internet.
func open(t *testing.T, c internet.Config) *internet.Net {
	t.Helper()
	lab.Skip(t)
	n, err := internet.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}
