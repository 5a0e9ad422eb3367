// Hopquote-bench is what `hopquote bench` runs: a program of its own, so that
// the libraries it compares with and plots by cost a trace no time to start.
package main

import (
	"os"

	"github.com/hopquote/hopquote/cmd/internal/benchcmd"
)

func main() { os.Exit(benchcmd.Main(os.Args[1:], os.Stdout, os.Stderr)) }
