// Hopquote-quotes is what `hopquote quotes` runs: a program of its own, so that
// the libraries that it draws by cost a trace no time to start.
package main

import (
	"os"

	"github.com/hopquote/hopquote/cmd/internal/quotes"
)

func main() { os.Exit(quotes.Main(os.Args[1:], os.Stdout, os.Stderr)) }
