// Hopquote finds the paths that packets take. See the README.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/bsd"
	"github.com/hopquote/hopquote/cmd/internal/labcmd"
	_ "github.com/hopquote/hopquote/cmd/internal/prefault"
	"github.com/hopquote/hopquote/cmd/internal/trace"
)

const usage = `Usage: hopquote COMMAND [ARGUMENTS]

  trace   find the path to a host, as traceroute does
  survey  find the paths to many hosts
  quotes  explain the replies in captures
  lab     run a command or a shell in a test network made of namespaces
  demo    show what trace does, on such a network
  bench   measure speed and completeness, beside other probers
  version print the version

"hopquote COMMAND --help" tells more. Called by the name traceroute or
traceroute6, hopquote is hopquote trace; called traceroute-bsd, it is
hopquote trace --bsd.
`

func main() { os.Exit(run(os.Args)) }

func run(args []string) int {
	if len(args) == 0 {
		args = []string{"hopquote"}
	}
	name := filepath.Base(args[0])
	if name == bsd.Name {
		return bsd.Main(args[1:], os.Stdout, os.Stderr)
	}
	if !strings.HasPrefix(name, "hopquote") {
		return trace.Main(args, trace.OS())
	}
	if len(args) == 1 {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	switch command, rest := args[1], args[2:]; command {
	case "trace":
		return trace.Main(append([]string{"hopquote trace"}, rest...), trace.OS())
	case "lab":
		return labcmd.Lab(rest, os.Stdin, os.Stdout, os.Stderr)
	case "demo":
		return labcmd.Demo(rest, os.Stdin, os.Stdout, os.Stderr)
	case "survey", "quotes", "bench":
		return become(command, rest, os.Stderr)
	case "version", "--version", "-V":
		return trace.Main([]string{args[0], "-V"}, trace.OS())
	case "help", "--help", "-h":
		fmt.Fprint(os.Stdout, usage)
		return 0
	default:
		fmt.Fprintf(os.Stderr, "hopquote: unknown command %q: there are trace, survey, quotes, lab, demo, bench, version and help\n", command)
		return 2
	}
}
