// Hopquote-survey is what `hopquote survey` runs: a program of its own, so that
// the libraries of its output formats cost a trace no time to start.
package main

import (
	"os"

	"github.com/hopquote/hopquote/cmd/internal/survey"
)

func main() { os.Exit(survey.Main(os.Args[1:], survey.OS())) }
