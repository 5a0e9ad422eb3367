package trace

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/hopquote/hopquote/bench/lab"
)

// leakless runs the tests and then looks for goroutines that they left.
type leakless struct{ *testing.M }

func (m leakless) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return code
}

func TestMain(m *testing.M) { os.Exit(lab.RunTests(leakless{m})) }
