package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// shown are pieces of the demo's output.
var shown = []string{
	"\n 3  192.168.120.20 (192.168.120.20)  X ms  X ms  X ms\n",
	"\n 1  192.168.100.20 (192.168.100.20)  X ms F=1500\n" +
		" 2  192.168.110.20 (192.168.110.20)  X ms F=1000\n" +
		" 3  192.168.120.20 (192.168.120.20)  X ms F=500\n",
	"\n 2  10.1.2.1 (10.1.2.1) <MPLS:L=24005,E=0,S=1,T=1>  X ms  X ms  X ms\n 3  * * *\n",
	"\n 5  server.example (10.2.2.2)  X ms  X ms  X ms\n",
	"\n 5  10.1.5.1 (10.1.5.1)  X ms !X  X ms !X  X ms !X\n",
}

// The demo shows what it promises, with the program's own traces. Their waits
// are the usual ones, so that a busy machine may need more than one attempt.
func TestDemo(t *testing.T) {
	t.Parallel()
	lab.Skip(t)
	var missing []string
	var text string
	for range attempts {
		out, err := exec.Command(filepath.Join(binaries, "hopquote"), "demo").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text = result{Stdout: string(out)}.timeless().Stdout
		missing = slices.DeleteFunc(slices.Clone(shown), func(s string) bool { return strings.Contains(text, s) })
		if len(missing) == 0 {
			break
		}
	}
	if len(missing) > 0 {
		t.Errorf("no %q in\n%s", missing, text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Next: ") {
		t.Errorf("it ends with %q", last)
	}
}
