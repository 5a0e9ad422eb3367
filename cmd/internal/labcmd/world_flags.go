package labcmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// defaultSeed is that of --internet without a value.
const defaultSeed = "1"

// worldFlags are the options of a simulated Internet.
type worldFlags struct {
	seed, hops, open *string
	cpus             *int
	truth            *bool
	c                internet.Config // what the other options set
	names            []string        // of all but --internet
}

func addWorldFlags(f *pflag.FlagSet) *worldFlags {
	o := &worldFlags{}
	o.seed = f.String("internet", "", "build h1 and a simulated Internet, drawn from `SEED`")
	f.Lookup("internet").NoOptDefVal = defaultSeed
	before := map[string]bool{}
	f.VisitAll(func(flag *pflag.Flag) { before[flag.Name] = true })
	o.hops = f.String("hops", "16-24", "paths of `MIN-MAX` hops")
	percent := func(p *int, name, help string) { f.IntVar(p, name, 0, "`PERCENT` "+help) }
	f.IntVar(&o.c.Shared, "shared", 0, "the first `N` hops are the same for all targets")
	percent(&o.c.Silent, "silent", "of the routers that never answer")
	percent(&o.c.SilentHosts, "silent-hosts", "of the targets that never answer")
	percent(&o.c.Guarded, "guarded", "of the targets that refuse every probe")
	percent(&o.c.Services, "services", "of the targets that answer UDP probes by a datagram")
	percent(&o.c.Diamonds, "diamonds", "of the hops that have 2 to 4 routers, which flows choose among")
	percent(&o.c.Loops, "loops", "of the prefixes whose paths loop")
	percent(&o.c.Unreachable, "unreachable", "of the prefixes that a router says to be unreachable")
	percent(&o.c.Limited, "limited", "of the routers that limit how many errors they send")
	f.DurationVar(&o.c.LimitEvery, "limit-every", 0, "they send one error in each `TIME` (10ms)")
	f.IntVar(&o.c.LimitBurst, "limit-burst", 0, "and up to `N` at once (10)")
	percent(&o.c.Duplicates, "duplicates", "of the probes that are answered twice")
	percent(&o.c.Late, "late", "of the probes that are answered late")
	f.DurationVar(&o.c.LateBy, "late-by", 0, "later than the others by `TIME` (50ms)")
	o.open = f.String("open", "", "TCP `PORTS` that targets listen on, with commas between")
	o.cpus = f.Int("cpus", 0, "the first `N` CPUs answer (the one that a probe is sent on)")
	f.IntVar(&o.c.Backlog, "backlog", 0, "`N` frames may wait for a CPU, which is a setting of the whole machine")
	o.truth = f.Bool("truth", false, "build nothing: the arguments are targets as for survey, whose true paths are written as JSON lines")
	f.BoolVar(&o.c.UserSpace, "user-space", false, "answer in user space, not by eBPF in the kernel")
	f.VisitAll(func(flag *pflag.Flag) {
		if !before[flag.Name] {
			o.names = append(o.names, flag.Name)
		}
	})
	return o
}

// config is what the options ask for, nil if they ask for no Internet.
func (o *worldFlags) config(f *pflag.FlagSet) (*internet.Config, error) {
	if !f.Changed("internet") {
		for _, name := range o.names {
			if f.Changed(name) {
				return nil, fmt.Errorf("--%s is for --internet", name)
			}
		}
		return nil, nil
	}
	if f.Changed("topology") || f.Changed("script") {
		return nil, errors.New("--topology, --script and --internet exclude each other")
	}
	for _, name := range []string{"limit-every", "limit-burst", "late-by"} {
		if v := f.Lookup(name).Value.String(); f.Changed(name) && strings.Trim(v, "0s") == "" {
			return nil, fmt.Errorf("--%s %s: want more than that", name, v) // which a Config has for what is not said
		}
	}
	c := o.c
	var err error
	if c.Seed, err = strconv.ParseUint(*o.seed, 10, 64); err != nil {
		return nil, fmt.Errorf("--internet %q: must be a number from 0 to 2^64-1", *o.seed)
	}
	if c.MinHops, c.MaxHops, err = parseHops(*o.hops); err != nil {
		return nil, err
	}
	if c.Open, err = parsePorts(*o.open); err != nil {
		return nil, err
	}
	if *o.cpus < 0 || *o.cpus > 64 {
		return nil, fmt.Errorf("--cpus %d: must be 0 to 64", *o.cpus)
	}
	c.CPUs = 1<<*o.cpus - 1
	if err := c.Check(); err != nil {
		return nil, asTyped(f, err)
	}
	return &c, nil
}

// fields are the options of what a Config has under another name, and beside
// are those that it has to leave room for.
var (
	fields = map[string]string{
		"Shared": "shared", "Silent": "silent", "SilentHosts": "silent-hosts", "Guarded": "guarded", "Services": "services",
		"Diamonds": "diamonds", "Loops": "loops", "Unreachable": "unreachable", "Limited": "limited", "LimitEvery": "limit-every",
		"LimitBurst": "limit-burst", "Duplicates": "duplicates", "Late": "late", "LateBy": "late-by", "Backlog": "backlog",
		"number of Open ports": "open",
	}
	beside = map[string]string{"unreachable": "loops", "late": "duplicates"}
)

// asTyped says what is wrong with a Config in the words of the options.
func asTyped(f *pflag.FlagSet, err error) error {
	var e *internet.RangeError
	if !errors.As(err, &e) {
		return err
	}
	name := fields[e.Field]
	flag := f.Lookup(name)
	if flag == nil {
		return err
	}
	text := fmt.Sprintf("--%s %s: allowed are %v to %v", name, flag.Value, e.Low, e.Top)
	if name == "open" {
		text += " ports"
	}
	if other := beside[name]; other != "" && f.Changed(other) {
		text += fmt.Sprintf(" beside --%s %s", other, f.Lookup(other).Value)
	}
	return errors.New(text)
}

// parseHops reads MIN-MAX, or one number for both.
func parseHops(s string) (low, top int, err error) {
	first, last, isRange := strings.Cut(s, "-")
	low, err = strconv.Atoi(first)
	if top = low; err == nil && isRange {
		top, err = strconv.Atoi(last)
	}
	if err != nil || low < 1 || low > top || top > internet.MaxLength {
		return 0, 0, fmt.Errorf("--hops %q: must be MIN-MAX or a number, within 1..%d", s, internet.MaxLength)
	}
	return low, top, nil
}

func parsePorts(s string) ([]uint16, error) {
	if s == "" {
		return nil, nil
	}
	var ports []uint16
	for word := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("--open %q: %q is no port", s, word)
		}
		ports = append(ports, uint16(n))
	}
	return ports, nil
}
