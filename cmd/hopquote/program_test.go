package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The bench is another program, whose arguments and exit status pass through.
func TestProgramIsStarted(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$@\"\nexit 7\n"
	if err := os.WriteFile(filepath.Join(dir, "hopquote-bench"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(binaries, "hopquote"), "bench", "tx", "--rounds", "1")
	cmd.Env = append(os.Environ(), "PATH="+dir)
	out, _ := cmd.Output()
	if string(out) != "tx --rounds 1\n" || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("output %q, %v", out, cmd.ProcessState)
	}
}

func TestProgramIsMissing(t *testing.T) {
	cmd := exec.Command(filepath.Join(binaries, "hopquote"), "bench", "tx")
	cmd.Env = append(os.Environ(), "PATH="+t.TempDir())
	var errs strings.Builder
	cmd.Stderr = &errs
	_ = cmd.Run() // the status tells
	if got := errs.String(); cmd.ProcessState.ExitCode() != 1 || strings.Count(got, "\n") != 1 || !strings.Contains(got, "go build ./cmd/hopquote-bench") {
		t.Errorf("%v, %q; want 1 and one line that tells what to build", cmd.ProcessState, got)
	}
}
