package option

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text to a file in testdata.
func golden(t *testing.T, file, text string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(text)) {
		t.Errorf("%s: (-want +got)\n%s", file, cmp.Diff(string(want), text))
	}
}

func stderrOf(t *testing.T, argv ...string) string {
	t.Helper()
	_, err := parse(argv...)
	exit := wantExit(t, err)
	if exit.Code != 0 {
		t.Fatalf("%q: exit %d", argv, exit.Code)
	}
	return exit.Stderr
}

func TestHelp(t *testing.T) {
	text := stderrOf(t, "traceroute", "--help")
	golden(t, "help.golden", text)
	if none := stderrOf(t, "traceroute"); none != text {
		t.Errorf("without arguments: (-help +got)\n%s", cmp.Diff(text, none))
	}
	if !strings.HasPrefix(stderrOf(t, "hopquote trace"), "Usage:\n  hopquote trace [ -46") {
		t.Error("the usage line doesn't begin with the program's name as called")
	}
	for i, line := range strings.Split(text, "\n") {
		if len(line) > helpWidth && i != 1 {
			t.Errorf("line %d has %d columns: %s", i+1, len(line), line)
		}
	}
}

// TestHelpNames checks that every option is in the help.
func TestHelpNames(t *testing.T) {
	text := stderrOf(t, "traceroute", "--help")
	for _, s := range Table() {
		if !strings.Contains(text, "\n  "+s.names()) {
			t.Errorf("option %s is not in the help", s.names())
		}
	}
}

func TestItemHelp(t *testing.T) {
	golden(t, "tcp.golden", stderrOf(t, "traceroute", "-T", "-O", "help"))
	golden(t, "icmp.golden", stderrOf(t, "traceroute", "-I", "-O", "help"))
}

func TestVersion(t *testing.T) {
	lines := strings.Split(stderrOf(t, "traceroute", "-V"), "\n")
	if len(lines) != 3 || lines[2] != "" || lines[0] != "hopquote "+Version {
		t.Errorf("got lines %q, want two, the first with %s", lines, Version)
	}
	for _, word := range []string{"go1.", "AF_PACKET/TPACKET_V3"} {
		if !strings.Contains(lines[1], word) {
			t.Errorf("second line %q has no %q", lines[1], word)
		}
	}
}

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Table() {
		if s.set == nil || s.Help == "" || s.Short == "" && s.Long == "" {
			t.Errorf("option %s lacks something", s.names())
		}
		for _, name := range []string{s.Short, s.Long} {
			if name != "" && seen[name] {
				t.Errorf("option %s is there twice", name)
			}
			seen[name] = true
		}
	}
}
