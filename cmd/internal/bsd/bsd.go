// Package bsd is hopquote trace --bsd: the classic traceroute of LBL and BSD,
// with its grammar, its packets and its output, on hopquote's engine.
//
// The file dialect.md lists where it differs from the Linux dialect and how
// each conflict is decided.
package bsd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/hopquote/hopquote/cmd/internal/bsd/option"
)

// Name is what the program is called by to speak this dialect.
const Name = "traceroute-bsd"

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
)

// Main runs a trace as the words after the program's name say, and gives the
// exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	return run(args, stdout, stderr, option.System{}, live)
}

// run is Main with its network: trace does the work for a command line that
// can be read.
func run(args []string, stdout, stderr io.Writer, hosts option.Resolver, trace func(*session) error) int {
	opts, err := option.Parse(context.Background(), args, option.Surroundings{
		Err: stderr, Hosts: hosts, Exists: interfaceExists,
	})
	if errors.Is(err, option.ErrUsage) {
		fmt.Fprint(stderr, option.Usage())
		return exitFailed
	}
	if err == nil {
		err = trace(newSession(opts, stdout, stderr))
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", option.Program, err)
		return exitFailed
	}
	return exitDone
}

func interfaceExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
