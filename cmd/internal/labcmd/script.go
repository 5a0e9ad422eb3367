package labcmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// plan gives the network to build, by name or, when there is a script file,
// for its script.
func plan(topology string, isChosen bool, file string) (lab.Topology, *simnet.Script, error) {
	if file != "" {
		if isChosen {
			return lab.Topology{}, nil, fmt.Errorf("--topology and --script exclude each other")
		}
		script, err := simnet.Read(file)
		if err != nil {
			return lab.Topology{}, nil, err
		}
		return simnet.Topology(script), script, nil
	}
	t, ok := lab.Find(topology)
	if !ok {
		return t, nil, fmt.Errorf("no network %q; there are %s", topology, strings.Join(lab.Topologies(), ", "))
	}
	return t, nil, nil
}

// buildAny is build, or openWorld if there is a config.
func buildAny(t lab.Topology, script *simnet.Script, config *internet.Config, stderr io.Writer) (*lab.Net, func() error, error) {
	if config != nil {
		return openWorld(*config, stderr)
	}
	return build(t, script)
}

// build builds the network, with its simulated path if there is a script.
func build(t lab.Topology, script *simnet.Script) (*lab.Net, func() error, error) {
	if script == nil {
		n, err := lab.Build(t)
		if err != nil {
			return nil, nil, err
		}
		return n, n.Close, nil
	}
	n, err := simnet.Open(script)
	if err != nil {
		return nil, nil, err
	}
	return n.Net, n.Close, nil
}

// greetScript says what a script's network is there for.
func greetScript(w io.Writer, file string, script *simnet.Script) {
	if script == nil {
		return
	}
	try := script.Targets[0].Addr().String()
	if len(script.Runs) > 0 {
		try = strings.Join(script.Runs[0].Args, " ")
	}
	fmt.Fprintf(w, "sim answers as %s says. Try:  hopquote trace %s\n\n", file, try)
}
