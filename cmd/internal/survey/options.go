package survey

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/cmd/internal/mistake"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	strategy "github.com/hopquote/hopquote/scheduler/survey"
)

// options is a command line that makes sense.
type options struct {
	targets  []string
	exclude  []string
	reserved bool
	prefix   []int // one host for each prefix of so many bits, IPv4 and IPv6; nil: all
	random   uint64
	ipv4     bool // those families only
	ipv6     bool

	mode     string
	method   frame.Method
	flags    uint8 // TCP
	port     uint16
	srcPort  uint16 // 0: any
	first    uint8
	max      uint8
	start    uint8
	flows    int
	attempts int
	gap      int
	timeout  time.Duration
	rate     rate
	tos      uint8
	size     int
	iface    string
	source4  netip.Addr
	source6  netip.Addr
	tx       link.Tx
	bypass   bool
	keepOut  bool // the kernel, from the replies
	loops    int

	seed   uint64
	seeded bool
	shard  uint64
	shards uint64

	outputs   []sink.Target
	overwrite bool
	dryRun    bool
	status    string
	interval  time.Duration
	metadata  string
	profile   string
	trace     string
	help      bool

	backoff    bool
	contact    string
	checkpoint string
	every      time.Duration // between checkpoints
	resume     string
}

// Modes and methods by name.
var (
	modes   = []string{"adaptive", "full", "random"}
	methods = map[string]struct {
		method frame.Method
		flags  uint8
		port   uint16
	}{
		"udp":     {frame.UDP, 0, 33434},
		"icmp":    {frame.ICMP, 0, 0},
		"tcp-syn": {frame.TCP, frame.FlagSYN, 80},
		"tcp-ack": {frame.TCP, frame.FlagACK, 80},
	}
	methodNames = []string{"udp", "icmp", "tcp-syn", "tcp-ack"}
	statuses    = []string{"auto", "text", "json", "none"}
)

// raw is what the flags hold before it is checked.
type raw struct {
	mode, method, rate, sources, shard, prefix, tx, status string
	seed                                                   uint64
	first, max, start, tos, port, srcPort                  int
	outputs                                                []string
}

func flagSet(o *options, r *raw) *pflag.FlagSet {
	f := pflag.NewFlagSet("survey", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.StringArrayVar(&o.exclude, "exclude", nil, "leave out an address, prefix or range, or those in a file (`WHAT`; repeatable)")
	f.BoolVar(&o.reserved, "allow-reserved", false, "do not leave out special-purpose ranges (IANA registries, RFC 6890)")
	f.StringVar(&r.prefix, "per-prefix", "", "one pseudo-random host for each prefix of `BITS`, or BITS,BITS6 (BITS6: 48)")
	f.Uint64Var(&o.random, "random", 0, "`N` pseudo-random hosts in each prefix or range")
	f.BoolVarP(&o.ipv4, "ipv4", "4", false, "IPv4 targets only")
	f.BoolVarP(&o.ipv6, "ipv6", "6", false, "IPv6 targets only")

	f.StringVar(&r.mode, "mode", "adaptive", "`MODE`: adaptive, full (every TTL of every target) or random (the same, nothing remembered)")
	f.StringVarP(&r.method, "method", "M", "udp", "`METHOD`: udp, icmp, tcp-syn or tcp-ack")
	f.IntVarP(&r.port, "port", "p", 0, "destination `PORT` (udp: 33434, tcp: 80)")
	f.IntVar(&r.srcPort, "sport", 0, "source `PORT` of the first flow (any)")
	f.IntVarP(&r.first, "first-ttl", "f", 1, "least `TTL`")
	f.IntVarP(&r.max, "max-ttl", "m", 32, "greatest `TTL`")
	f.IntVar(&r.start, "start-ttl", 16, "adaptive: first `TTL` while no distance is known")
	f.IntVar(&o.flows, "flows", 1, "`K` flows to each target")
	f.IntVarP(&o.attempts, "attempts", "q", 1, "at most `N` probes for a TTL until one is answered (not random)")
	f.IntVar(&o.gap, "gap-limit", 5, "adaptive: `N` silent hops in a row end a trace; 0: none do")
	f.DurationVarP(&o.timeout, "timeout", "w", 2*time.Second, "how long a reply may take (`TIME`)")
	f.StringVarP(&r.rate, "rate", "r", "1000", "`RATE` such as 1000, 10kpps or 5Mbps; max or 0: as fast as the sender")
	f.BoolVar(&o.backoff, "adaptive-rate", false, "space out the probes to routers that limit their errors")
	f.IntVarP(&r.tos, "tos", "t", 0, "IPv4 `TOS` or IPv6 traffic class")
	f.StringVar(&o.contact, "probe-contact", "", "`TEXT` in the probes of udp and icmp that tells whom to ask about them")
	f.IntVar(&o.size, "size", 0, "whole IP length of a probe in `BYTES` (least)")
	f.StringVarP(&o.iface, "interface", "i", "", "send by the interface `NAME`")
	f.StringVarP(&r.sources, "source", "s", "", "source `ADDRESS`, or one for each family with a comma between")
	f.StringVar(&r.tx, "tx", "packet", "`SENDER`: packet, xdp, auto or null")
	f.BoolVar(&o.bypass, "qdisc-bypass", false, "skip the interface's queueing discipline")
	f.BoolVar(&o.keepOut, "keep-kernel-out", false, "drop the replies before the kernel's own IP stack sees them (Linux 6.6, CAP_BPF, CAP_NET_ADMIN)")
	f.IntVar(&o.loops, "loops", 1, "`N` loops side by side, each with its part of the targets and source ports")

	f.Uint64Var(&r.seed, "seed", 0, "`NUMBER` that decides the order and the samples (random)")
	f.StringVar(&r.shard, "shard", "", "`I/N`: the I-th of N parts, from 0")
	f.StringArrayVarP(&r.outputs, "output", "o", nil, "`KIND:PATH` to write to, - is standard output, .gz or .zst compresses (repeatable; jsonl:-, random: replies:-)")
	f.BoolVar(&o.overwrite, "overwrite", false, "write over files with something in them")
	f.BoolVar(&o.dryRun, "dry-run", false, "tell what would be sent, and how long it would take")
	f.StringVar(&r.status, "status", "auto", "`FORM` of the progress on standard error: auto (text if it is a terminal), text, json or none")
	f.DurationVar(&o.interval, "status-interval", time.Second, "`TIME` between reports of progress")
	f.StringVar(&o.metadata, "metadata", "", "write what was run and what became of it as JSON to `FILE`")
	f.StringVar(&o.checkpoint, "checkpoint", "", "every few seconds, write to `FILE` what --resume goes on from")
	f.DurationVar(&o.every, "checkpoint-interval", 5*time.Second, "`TIME` between checkpoints")
	f.StringVar(&o.resume, "resume", "", "go on with the survey of the checkpoint `FILE`, with the same options or none (another --checkpoint takes its place)")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to `FILE`")
	f.StringVar(&o.trace, "trace", "", "write an execution trace to `FILE`")
	f.BoolVarP(&o.help, "help", "h", false, "show this help")
	return f
}

// parse reads a command line; its error is one line.
func parse(args []string) (*options, *pflag.FlagSet, error) {
	o, r := &options{}, &raw{}
	f := flagSet(o, r)
	if err := f.Parse(args); err != nil {
		return nil, f, mistake.Of(err)
	}
	o.targets = f.Args()
	if o.help {
		return o, f, nil
	}
	o.seed, o.seeded = r.seed, f.Changed("seed")
	if o.resume != "" && len(o.targets) == 0 {
		return o, f, nil // the checkpoint has the rest
	}
	return o, f, o.check(r, f)
}

func (o *options) check(r *raw, f *pflag.FlagSet) error {
	if len(o.targets) == 0 && !f.Changed("resume") {
		return errors.New("no targets: give addresses, prefixes, ranges, host names, files, or - for standard input")
	}
	if o.ipv4 && o.ipv6 {
		return errors.New("-4 and -6 leave no targets: give one of them, or none for both families")
	}
	if !slices.Contains(modes, r.mode) {
		return oneOf("mode", r.mode, modes)
	}
	if !slices.Contains(statuses, r.status) {
		return oneOf("status", r.status, statuses)
	}
	m, ok := methods[r.method]
	if !ok {
		return oneOf("method", r.method, methodNames)
	}
	o.mode, o.status, o.method, o.flags = r.mode, r.status, m.method, m.flags
	switch {
	case !f.Changed("port"):
		r.port = int(m.port)
	case m.method == frame.ICMP:
		return errors.New("--port: icmp has none")
	case r.port < 1:
		return fmt.Errorf("--port %d: allowed are 1 to 65535", r.port)
	}
	if m.method == frame.ICMP && f.Changed("sport") {
		return errors.New("--sport: icmp has none")
	}
	if !f.Changed("max-ttl") && r.first > r.max && r.first <= strategy.MaxTTL {
		return fmt.Errorf("--first-ttl %d: the greatest TTL is %d without --max-ttl", r.first, r.max)
	}
	for _, n := range []struct {
		name          string
		value, lo, hi int
	}{
		{"first-ttl", r.first, 1, strategy.MaxTTL}, {"max-ttl", r.max, r.first, strategy.MaxTTL},
		{"start-ttl", r.start, 1, strategy.MaxTTL}, {"tos", r.tos, 0, 255}, {"port", r.port, min(r.port, 1), 1<<16 - 1}, {"sport", r.srcPort, 0, 1<<16 - 1}, {"flows", o.flows, 1, strategy.MaxFlows},
		{"attempts", o.attempts, 1, strategy.MaxAttempts}, {"gap-limit", o.gap, 0, strategy.MaxTTL},
		{"size", o.size, 0, 1280}, {"loops", o.loops, 1, maxLoops},
	} {
		if n.value < n.lo || n.value > n.hi {
			return fmt.Errorf("--%s %d: allowed are %d to %d", n.name, n.value, n.lo, n.hi)
		}
	}
	o.first, o.max, o.start, o.tos, o.port, o.srcPort = uint8(r.first), uint8(r.max), uint8(r.start), uint8(r.tos), uint16(r.port), uint16(r.srcPort)
	switch {
	case o.mode == "random" && o.attempts > 1:
		return errors.New("--attempts: mode random remembers nothing to try again, use full or adaptive")
	case o.timeout < time.Millisecond || o.timeout > time.Minute:
		return fmt.Errorf("--timeout %s: allowed are 1ms to 1m", o.timeout)
	case len(o.contact) > maxContact || !utf8.ValidString(o.contact) || strings.ContainsFunc(o.contact, unicode.IsControl):
		return fmt.Errorf("--probe-contact %q: want at most %d bytes of text", o.contact, maxContact)
	case o.every < 10*time.Millisecond:
		return fmt.Errorf("--checkpoint-interval %s: want 10ms or more", o.every)
	case o.interval < 10*time.Millisecond:
		return fmt.Errorf("--status-interval %s: want 10ms or more", o.interval)
	case f.Changed("random") && o.random < 1:
		return errors.New("--random 0: want 1 or more")
	case f.Changed("random") && r.prefix != "":
		return fmt.Errorf("--random %d, --per-prefix %s: want one of the two", o.random, r.prefix)
	case o.flows*o.loops > maxPorts:
		return fmt.Errorf("--flows %d, --loops %d: that is a source port for each of %d flows, at most %d are possible", o.flows, o.loops, o.flows*o.loops, maxPorts)
	case int(o.srcPort)+o.flows*o.loops > 1<<16:
		return fmt.Errorf("--sport %d: there are no %d ports from there on", o.srcPort, o.flows*o.loops)
	}
	var err error
	if o.rate, err = parseRate(r.rate); err != nil {
		return err
	}
	if o.tx, err = link.ParseTx(r.tx); err != nil {
		return fmt.Errorf("--tx: %w", err)
	}
	return cmp.Or(notEmpty(f), o.checkPrefix(r.prefix), o.checkShard(r.shard), o.checkSources(r.sources), o.checkOutputs(r.outputs), o.checkPlaces())
}

// maxContact bounds a contact: probes must pass everywhere.
const maxContact = 256

func oneOf(name, value string, allowed []string) error {
	return fmt.Errorf("--%s %q: allowed are %s", name, value, strings.Join(allowed, ", "))
}

func (o *options) checkPrefix(s string) error {
	if s == "" {
		return nil
	}
	bits, bits6, both := strings.Cut(s, ",")
	if !both {
		bits6 = "48"
	}
	n, err := strconv.Atoi(bits)
	n6, err6 := strconv.Atoi(bits6)
	if err != nil || err6 != nil || n < 1 || n > 32 || n6 < 1 || n6 > 128 {
		return fmt.Errorf("--per-prefix %q: want 1 to 32, or with a comma that and 1 to 128 for IPv6", s)
	}
	o.prefix = []int{n, n6}
	return nil
}

func (o *options) checkShard(s string) error {
	o.shards = 1
	if s == "" {
		return nil
	}
	i, n, _ := strings.Cut(s, "/")
	shard, err := strconv.ParseUint(i, 10, 32)
	shards, err2 := strconv.ParseUint(n, 10, 32)
	if err != nil || err2 != nil || shard >= shards {
		return fmt.Errorf("--shard %q: want I/N with I from 0 to N-1, and N up to %d", s, uint32(math.MaxUint32))
	}
	o.shard, o.shards = shard, shards
	return nil
}

func (o *options) checkSources(s string) error {
	if s == "" {
		return nil
	}
	for part := range strings.SplitSeq(s, ",") {
		a, err := netip.ParseAddr(part)
		if err != nil || a.Zone() != "" {
			return fmt.Errorf("--source %q: want an address, or one for each family with a comma between", s)
		}
		of := &o.source6
		if a = a.Unmap(); a.Is4() {
			of = &o.source4
		}
		if of.IsValid() {
			return fmt.Errorf("--source %q: both are of one family", s)
		}
		*of = a
	}
	return nil
}

func (o *options) checkOutputs(list []string) error {
	if len(list) == 0 {
		list = []string{"jsonl:-"}
		if o.mode == "random" {
			list = []string{"replies:-"}
		}
	}
	for _, s := range list {
		name, path, ok := strings.Cut(s, ":")
		k, known := kindNamed(name)
		if !ok || path == "" || !known {
			return fmt.Errorf("--output %q: want KIND:PATH with one of %s", s, strings.Join(kindNames(), ", "))
		}
		o.outputs = append(o.outputs, sink.Target{Kind: k, Path: path})
	}
	return nil
}
