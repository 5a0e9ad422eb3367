package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// A subcommand that links what would add milliseconds to the start of every
// trace is a program of its own, named hopquote-SUBCOMMAND.

// become replaces this process by the subcommand's program, found beside this
// one or in PATH; it returns only if that fails.
func become(subcommand string, args []string, stderr io.Writer) int {
	program := "hopquote-" + subcommand
	path, err := findProgram(program)
	if err == nil {
		err = syscall.Exec(path, append([]string{program}, args...), os.Environ())
	}
	fmt.Fprintf(stderr, "hopquote %s: start %s: %v; build it into the folder of hopquote: go build ./cmd/%s\n", subcommand, program, err, program)
	return 1
}

func findProgram(program string) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), program)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	return exec.LookPath(program)
}
