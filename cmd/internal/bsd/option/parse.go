package option

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Surroundings are what a command line is read in. Warnings go to Err as they
// come up, each on a line of its own.
type Surroundings struct {
	Err   io.Writer
	Hosts Resolver
	// Exists tells whether there is a network interface of that name.
	Exists func(name string) bool
}

// Program is the name that messages and the header begin with.
const Program = "traceroute"

type parser struct {
	ctx    context.Context
	in     Surroundings
	opts   Options
	port   uint16 // 0: not given
	source string
}

// Parse reads the words after the program's name. The error is ErrUsage, or
// a Refusal with the message that follows "traceroute: ".
//
// Options are those of getopt(3) in POSIX: flags may be grouped, a value may
// be joined to its letter or be the next word, and the first word that is no
// option ends them, as does "--".
func Parse(ctx context.Context, args []string, in Surroundings) (*Options, error) {
	p := &parser{ctx: ctx, in: in, opts: Options{
		First: 1, Last: 30, Queries: 3, Wait: 5 * time.Second, Protocol: protocols["udp"],
	}}
	rest, err := p.options(args)
	if err != nil {
		return nil, err
	}
	o := &p.opts
	if o.NoChecksum {
		p.warn("ip checksums disabled")
	}
	if o.First > o.Last {
		return nil, refuse("first ttl (%d) may not be greater than max ttl (%d)", o.First, o.Last)
	}
	if err := p.positionals(rest); err != nil {
		return nil, err
	}
	if o.Interface != "" && !in.Exists(o.Interface) {
		return nil, refuse("Can't find interface %s", o.Interface)
	}
	if p.source != "" {
		h, err := p.find(p.source, true)
		if err != nil {
			return nil, err
		}
		o.Source, o.SourceAddr = h.name, h.addr
	}
	if o.Port = o.Protocol.port; p.port != 0 {
		o.Port = p.port
	}
	return o, nil
}

func (p *parser) warn(format string, args ...any) {
	fmt.Fprintf(p.in.Err, Program+": Warning: "+format+"\n", args...)
}

// options applies the options and gives the words after them.
func (p *parser) options(args []string) ([]string, error) {
	specs := table()
	for len(args) > 0 {
		w := args[0]
		if len(w) < 2 || w[0] != '-' {
			return args, nil
		}
		args = args[1:]
		if w == "--" {
			return args, nil
		}
		for w = w[1:]; w != ""; {
			i := slices.IndexFunc(specs, func(s spec) bool { return s.letter == w[0] })
			if i < 0 {
				return nil, ErrUsage
			}
			w = w[1:]
			value := ""
			if specs[i].value != "" {
				switch {
				case w != "":
					value, w = w, ""
				case len(args) > 0:
					value, args = args[0], args[1:]
				default:
					return nil, ErrUsage
				}
			}
			if err := specs[i].set(p, value); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// positionals takes the packet length, if it is there, and then the host.
func (p *parser) positionals(words []string) error {
	if len(words) < 1 || len(words) > 2 {
		return ErrUsage
	}
	o := &p.opts
	least := ipHeader + o.Protocol.header
	if n := len(o.Gateways); n > 0 {
		least += routeOption(n)
	}
	o.Size = max(least, minTotal)
	if len(words) == 2 {
		size, err := number(words[1], "packet length", int64(least), maxSize)
		if err != nil {
			return err
		}
		o.Size = int(size)
	}
	if o.Protocol.Kind == TCP {
		o.Size = least // a SYN without payload has no other
	}
	h, err := p.find(words[0], true)
	if err != nil {
		return err
	}
	o.Host, o.Addr = h.name, h.addr
	return nil
}

// routeOption is the length in bytes of the source route through n gateways: a
// NOP and an option of 3 bytes and n slots (RFC 791 section 3.1).
func routeOption(n int) int { return 1 + 3 + 4*n }

// errUnknown is the message for a host that has no IPv4 address.
func errUnknown(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return refuse("unknown host %q", name)
	}
	return refuse("unknown host %s", name)
}
