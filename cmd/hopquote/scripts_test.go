package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// scripts are simulated paths, each with command lines and what Linux
// traceroute prints there.
const scripts = "../../testdata/scripts/*.sim"

// otherwise holds what ours prints where it differs on purpose: the kernel
// hides these errors from sockets, but the routers sent them. The table of
// differences has the reasons.
var otherwise = map[string][]string{
	"45-unknown-code -n -q2 -m3 -w0.5 10.2.2.2": {" 1  10.1.1.1  X ms  X ms", " 2  10.1.2.1  X ms !<16>  X ms !<16>"},
	"46-reassembly -n -q2 -m3 -w0.5 10.2.2.2":   {" 1  10.1.1.1  X ms  X ms", " 2  10.1.2.1  X ms !<11-1>  X ms !<11-1>"},
	"49-too-big -n -q2 -m2 -w0.5 10.2.2.2": {"traceroute to 10.2.2.2 (10.2.2.2), 2 hops max, 60 byte packets",
		" 1  10.1.1.1  X ms  X ms", " 2  10.1.2.1  X ms !F-1400  X ms !F-1400"},
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob(scripts)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts at %s: %v", scripts, err)
	}
	for _, file := range files {
		script, err := simnet.Read(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, run := range script.Runs {
			name := strings.TrimSuffix(filepath.Base(file), ".sim") + " " + strings.Join(run.Args, " ")
			if output, ok := otherwise[name]; ok {
				run.Output = output
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				testRun(t, script, run)
			})
		}
	}
}

// testRun compares one run with what the script expects of it.
func testRun(t *testing.T, script *simnet.Script, run simnet.Run) {
	n := openScript(t, script)
	got := runIn(t, n.Host(simnet.Prober), ours(), run.Args...).timeless()
	if got.Code != 0 || got.Stderr != "" {
		t.Errorf("exit %d, stderr %q", got.Code, got.Stderr)
	}
	lines := strings.Split(strings.TrimSuffix(got.Stdout, "\n"), "\n")
	if len(run.Output) > 0 && !strings.HasPrefix(run.Output[0], "traceroute to ") {
		lines = lines[1:]
	}
	if diff := cmp.Diff(run.Output, lines); diff != "" {
		t.Errorf("(-want +got):\n%s\n%+v", diff, n.Counters())
	}
}

// openScript builds the network of a script; it ends with the test.
func openScript(t *testing.T, s *simnet.Script) *simnet.Net {
	t.Helper()
	lab.Skip(t)
	n, err := simnet.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}
