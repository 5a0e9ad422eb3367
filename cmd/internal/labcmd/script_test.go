package labcmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testScript = `source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.2
name 10.2.2.2 dst.example.net
hop 1 te from 10.1.1.1
`

func writeScript(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "path.sim")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScriptMistakes(t *testing.T) {
	good, bad := writeScript(t, testScript), writeScript(t, "hop 0 silent\n")
	for name, c := range map[string]struct{ args, errs string }{
		"no file":      {"--script /nonexistent.sim", "read script: open /nonexistent.sim: no such file"},
		"mistake":      {"--script " + bad, bad + `:1: hop: TTL "0": must be a number from 1 to 255`},
		"two networks": {"-t line --script " + good, "--topology and --script exclude each other"},
		"unknown host": {"-i h2 --script " + good, `network script has no host "h2"; it has h1, sim`},
	} {
		status, out, errs := callLab(strings.Fields(c.args))
		if status != 2 || out != "" || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: status %d, output %q, errors %q; want 2, none, %q", name, status, out, errs, c.errs)
		}
	}
}

func TestScriptNetwork(t *testing.T) {
	path := writeScript(t, testScript)
	out, err := hopquote(t, "play", "lab", "--script", path, "--", "cat", "/etc/hosts").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "10.2.2.2 dst.example.net\n") {
		t.Errorf("hosts file inside: %v, %q", err, out)
	}
	// Without a command the shell says what to try, and ends with its input.
	cmd := hopquote(t, "play", "lab", "--script", path)
	cmd.Env = append(cmd.Env, "SHELL=/bin/sh")
	cmd.Stdin = strings.NewReader("")
	out, err = cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Try:  hopquote trace 10.2.2.2\n") {
		t.Errorf("greeting: %v, %q", err, out)
	}
}
