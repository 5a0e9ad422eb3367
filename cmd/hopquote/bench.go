package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// benchProgram is the program that `hopquote bench` becomes. It is a separate
// one because what it links would add milliseconds to the start of every trace.
const benchProgram = "hopquote-bench"

// bench replaces this process by the bench, found beside this program or in
// PATH; it returns only if that fails.
func bench(args []string, stderr io.Writer) int {
	path, err := findBench()
	if err == nil {
		err = syscall.Exec(path, append([]string{benchProgram}, args...), os.Environ())
	}
	fmt.Fprintf(stderr, "hopquote bench: start %s: %v; build it into the folder of hopquote: go build ./cmd/%s\n", benchProgram, err, benchProgram)
	return 1
}

func findBench() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), benchProgram)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	return exec.LookPath(benchProgram)
}
