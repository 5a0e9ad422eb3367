package option

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Resolver finds the addresses of a host name or of an address in text form.
//
// family is 0, 4 or 6. IPv4-mapped IPv6 addresses may be among the addresses
// and are taken for IPv4. The error's text is what getaddrinfo(3) would say;
// it becomes part of the message to the user.
type Resolver interface {
	Lookup(ctx context.Context, name string, family int) ([]netip.Addr, error)
}

// Parse reads a command line whose argv[0] is the program's name as called.
// Every error is an *Exit.
//
// The name's last path element gives defaults: one that begins with tcp means
// -T, with tracert -I (but not the plain name traceroute), one that ends with
// 4 or 6 means -4 or -6. Messages count the words from 1 for argv[1].
//
// env is os.LookupEnv or the like: with POSIXLY_CORRECT set, even to nothing,
// options end at the first word that is none. hosts resolves host, source and
// gateways.
//
// As with Linux traceroute, options are taken from left to right, then host and
// packetlen, then all values are checked against each other and their ranges,
// and the method's options come last.
func Parse(ctx context.Context, argv []string, env func(string) (string, bool), hosts Resolver) (*Options, error) {
	return newParser(ctx, argv, hosts, systemDatabase).parse(argv, env)
}

func (p *parser) parse(argv []string, env func(string) (string, bool)) (*Options, error) {
	if len(argv) < 2 {
		return nil, help(p.opts.Program, p.table)
	}
	_, posix := env("POSIXLY_CORRECT")
	for _, step := range []func() error{
		func() error { return p.words(argv, posix) },
		p.takePositionals,
		p.check,
		p.resolveGateways,
		p.checkItems,
		p.checkTogether,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p.finish(), nil
}

// parser holds what the words have said so far.
type parser struct {
	ctx   context.Context
	hosts Resolver
	names database
	table []Spec
	opts  *Options

	family                             int // 0, 4 or 6 as asked for
	method                             string
	first, max, sim, queries           uint32
	port, sourcePort, tos, label, mark uint32
	protocol                           uint32 // of method raw
	wait                               [3]float64
	sendWait                           float64
	packetLen                          int32
	gateways                           []string
	items                              []string // of -O and -P
	asPath                             bool
	positionals                        []word
}

// word is one word of the command line with its index in argv.
type word struct {
	text string
	argc int
}

// refusal is the error of a value that its option can't use; before goes ahead
// of the message.
type refusal struct{ before string }

func (r *refusal) Error() string { return strings.TrimSpace(r.before + "value not usable") }

func newParser(ctx context.Context, argv []string, hosts Resolver, names database) *parser {
	p := &parser{
		ctx: ctx, hosts: hosts, names: names, table: Table(),
		opts:   &Options{Format: "text"},
		method: "default",
		first:  1, max: 30, sim: 16, queries: 3,
		wait:      [3]float64{5, 3, 10},
		packetLen: -1,
		protocol:  defaultProtocol,
	}
	if len(argv) > 0 {
		p.opts.Program = argv[0]
	}
	name := p.opts.Program[strings.LastIndexByte(p.opts.Program, '/')+1:]
	switch {
	case strings.HasSuffix(name, "6"):
		p.family = 6
	case strings.HasSuffix(name, "4"):
		p.family = 4
	}
	switch {
	case strings.HasPrefix(name, "tcp"):
		p.method = "tcp"
	case strings.HasPrefix(name, "tracert"):
		p.method = "icmp"
	}
	return p
}

// words sorts argv[1:] into options, which take effect at once, and
// positionals.
func (p *parser) words(argv []string, posix bool) error {
	for i := 1; i < len(argv); i++ {
		w := argv[i]
		var err error
		switch {
		case w == "--":
			p.addPositionals(argv, i+1)
			return nil
		case len(w) < 2 || w[0] != '-' || strings.HasPrefix(w, "---"):
			if posix {
				p.addPositionals(argv, i)
				return nil
			}
			p.addPositionals(argv[:i+1], i)
		case w[1] == '-':
			err = p.long(w, i)
		default:
			i, err = p.short(argv, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) addPositionals(argv []string, from int) {
	for i := from; i < len(argv); i++ {
		p.positionals = append(p.positionals, word{argv[i], i})
	}
}

// long takes --name or --name=value. A flag's name may hold the equals sign.
func (p *parser) long(w string, argc int) error {
	if i := slices.IndexFunc(p.table, func(s Spec) bool { return s.Value == "" && s.Long != "" && s.Long == w[2:] }); i >= 0 {
		return p.apply(&p.table[i], w, "", argc)
	}
	name, value, joined := strings.Cut(w[2:], "=")
	i := slices.IndexFunc(p.table, func(s Spec) bool {
		return s.Long != "" && (s.Long == name || s.Abbrev && len(name) >= 2 && strings.HasPrefix(s.Long, name))
	})
	switch {
	case i >= 0 && p.table[i].Value != "" && !joined:
		return needsArgument("--"+p.table[i].Long, "=", p.table[i].Value, argc)
	case i >= 0 && (p.table[i].Value != "") == joined:
		return p.apply(&p.table[i], "--"+p.table[i].Long, value, argc)
	case joined:
		return usage(fmt.Sprintf("Bad option `%s' (with arg `%s') (argc %d)", w, value, argc))
	}
	return usage(fmt.Sprintf("Bad option `%s' (argc %d)", w, argc))
}

// short takes one word of short options and gives the index of the last word
// that it used. In a group only the last option may have a value, and only as
// the next word.
func (p *parser) short(argv []string, at int) (int, error) {
	w := argv[at]
	if s := p.findShort(w); s != nil && len(w) > 2 {
		return at, p.apply(s, w, "", at)
	}
	for i := 1; i < len(w); i++ {
		name := "-" + w[i:i+1]
		s := p.findShort(name)
		if s == nil {
			return at, usage(fmt.Sprintf("Bad option `%s' (argc %d)", name, at))
		}
		last := i == len(w)-1
		switch {
		case s.Value == "":
			if err := p.apply(s, name, "", at); err != nil {
				return at, err
			}
		case i == 1 && !last:
			return at, p.apply(s, name, w[2:], at)
		case last && at+1 < len(argv):
			return at + 1, p.apply(s, name, argv[at+1], at+1)
		default:
			return at, needsArgument(name, " ", s.Value, at)
		}
	}
	return at, nil
}

func (p *parser) findShort(name string) *Spec {
	for i := range p.table {
		if p.table[i].Short == name {
			return &p.table[i]
		}
	}
	return nil
}

// apply sets an option; argc is the index of the word that holds its value.
func (p *parser) apply(s *Spec, name, value string, argc int) error {
	err := s.set(p, value)
	if r, ok := err.(*refusal); ok {
		return usage(fmt.Sprintf("%sCannot handle `%s' option with arg `%s' (argc %d)", r.before, name, value, argc))
	}
	return err
}

func needsArgument(name, separator, value string, argc int) error {
	return usage(fmt.Sprintf("Option `%s' (argc %d) requires an argument: `%s%s%s'", name, argc, name, separator, value))
}
