package simnet

import (
	"os"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

// scriptsDir holds a script per behaviour, with the runs it was made for.
const scriptsDir = "../../testdata/scripts"

// must parses a script that the test needs.
func must(t testing.TB, text string) *Script {
	t.Helper()
	s, err := Parse("test.sim", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openScript builds a script's network, which goes with the test.
func openScript(t *testing.T, s *Script) *Net {
	t.Helper()
	lab.Skip(t)
	n, err := Open(s)
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
