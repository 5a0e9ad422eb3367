package benchcmd

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/surveys"
	"github.com/hopquote/hopquote/cmd/internal/mistake"
)

// options are what the command line asks for.
type options struct {
	suites     []string // in the order of suiteNames
	rounds     int
	time       time.Duration // of a sample; 0: each suite's own
	format     string
	plot       string
	cpuProfile string
	trace      string
	peers      []contest.Contender
	rates      []float64 // nil: each suite's own
	seed       uint64
	inline     bool
	userSpace  bool
	lossy      bool
	traces     int
	targets    int
	dense      bool
	shared     int
	kind       string
	short      bool // survey is one of all, and says less
	only       []string
	hopquote   string
	help       bool
	flags      *pflag.FlagSet
	args       []string // as given
}

// suiteNames are the subcommands but for all.
var suiteNames = []string{"frames", "decode", "tx", "rx", "loop", "trace", "peers", "survey"}

// formats of the report.
const (
	formatTable    = "table"
	formatJSON     = "json"
	formatMarkdown = "markdown"
)

// Limits of the numbers.
const (
	maxRounds  = 1000
	maxTime    = time.Minute
	maxRate    = 100e6
	maxTraces  = 100_000
	defaultRun = 1000
	// Targets of a survey, and of one among all suites.
	defaultTargets = 8192
	shortTargets   = 2048
	defaultShared  = 9
)

func parse(args []string) (*options, error) {
	o := &options{args: args}
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.IntVar(&o.rounds, "rounds", 5, "measure every row `N` times, 1..1000, all rows in turns")
	f.DurationVar(&o.time, "time", 0, "time of one sample, such as 500ms, up to 1m (default: 50ms to 1s)")
	f.StringVar(&o.format, "format", formatTable, "table, json or markdown")
	f.StringVar(&o.plot, "plot", "", "also draw rx, loop, peers and survey into an SVG `FILE`")
	f.Float64SliceVar(&o.rates, "rate", nil, "ask rx, loop, peers and survey for these `RATES`, a second, 0 for as fast as it goes")
	peers := f.StringArray("peer", nil, "a prober of your own for loop and peers, as `NAME=COMMAND`, repeatable")
	f.StringArrayVar(&o.only, "only", nil, "only rows whose first column is `NAME`, repeatable")
	f.IntVar(&o.traces, "traces", defaultRun, "destinations of the second table of trace")
	f.IntVar(&o.targets, "targets", defaultTargets, fmt.Sprintf("`N` targets of survey, 1..%d", surveys.MaxTargets))
	f.BoolVar(&o.dense, "dense", false, "targets of survey are beside each other (default: one of each /24)")
	f.IntVar(&o.shared, "shared", defaultShared, "the first `N` hops are the same for all targets of survey")
	f.StringVar(&o.kind, "kind", "replies", "what surveys write: "+strings.Join(surveys.Kinds, " or "))
	f.Uint64Var(&o.seed, "seed", 1, "seed of the simulated Internet")
	f.BoolVar(&o.inline, "inline", false, "the CPU that sends a probe answers it: slower, the same every time")
	f.BoolVar(&o.userSpace, "user-space", false, "simulate the Internet in user space even where the kernel could")
	f.BoolVar(&o.lossy, "lossy", false, "add a receiver to rx that must lose packets, and be reported so")
	f.StringVar(&o.hopquote, "hopquote", "", "the hopquote that is measured, a `FILE` (default: the one beside this program)")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile to `FILE`; of loop, that of the bare loop's last run")
	f.StringVar(&o.trace, "trace", "", "write an execution trace to `FILE`, likewise")
	f.BoolVarP(&o.help, "help", "h", false, "show this help")
	o.flags = f
	if err := f.Parse(args); err != nil {
		return o, mistake.Of(err)
	}
	if o.help {
		return o, nil
	}
	for _, p := range *peers {
		c, err := contest.ParsePeer(p)
		if err != nil {
			return o, err
		}
		o.peers = append(o.peers, c)
	}
	return o, o.check()
}

func (o *options) check() error {
	if err := o.checkSuites(); err != nil {
		return err
	}
	switch {
	case o.rounds < 1 || o.rounds > maxRounds:
		return fmt.Errorf("--rounds %d, want 1..%d", o.rounds, maxRounds)
	case o.flags.Changed("time") && o.time <= 0 || o.time > maxTime:
		return fmt.Errorf("--time %v, want more than 0 and up to %v", o.time, maxTime)
	case !slices.Contains([]string{formatTable, formatJSON, formatMarkdown}, o.format):
		return fmt.Errorf("--format %q, want table, json or markdown", o.format)
	case o.traces < 1 || o.traces > maxTraces:
		return fmt.Errorf("--traces %d, want 1..%d", o.traces, maxTraces)
	case o.targets < 1 || o.targets > surveys.MaxTargets:
		return fmt.Errorf("--targets %d, want 1..%d", o.targets, surveys.MaxTargets)
	case o.shared < 0 || o.shared > internet.MaxLength:
		return fmt.Errorf("--shared %d, want 0..%d", o.shared, internet.MaxLength)
	case !slices.Contains(surveys.Kinds, o.kind):
		return fmt.Errorf("--kind %q, want %s", o.kind, strings.Join(surveys.Kinds, " or "))
	case o.inline && o.userSpace:
		return errors.New("--inline and --user-space exclude each other")
	}
	for _, r := range o.rates {
		if !(r >= 0 && r <= maxRate) || r > 0 && r < 1 || math.IsNaN(r) {
			return fmt.Errorf("--rate %s, want 0 or 1..%.0f", strconv.FormatFloat(r, 'f', -1, 64), maxRate)
		}
	}
	if o.plot != "" && !slices.ContainsFunc(o.suites, hasPlot) {
		return fmt.Errorf("--plot: %s has nothing to plot, but rx, loop, peers and survey have", strings.Join(o.suites, ", "))
	}
	return nil
}

// checkSuites reads which suites are asked for.
func (o *options) checkSuites() error {
	names := o.flags.Args()
	if len(names) == 0 {
		return fmt.Errorf("what to measure is missing: %s or all", strings.Join(suiteNames, ", "))
	}
	for _, n := range names {
		if n != "all" && !slices.Contains(suiteNames, n) {
			return fmt.Errorf("unknown %q, there are %s and all", n, strings.Join(suiteNames, ", "))
		}
	}
	if o.short = !slices.Contains(names, "survey"); o.short && !o.flags.Changed("targets") {
		o.targets = shortTargets
	}
	for _, n := range suiteNames {
		if slices.Contains(names, n) || slices.Contains(names, "all") {
			o.suites = append(o.suites, n)
		}
	}
	return nil
}

func hasPlot(suite string) bool { return slices.Contains(plotted, suite) }

// plotted are the suites that can be drawn.
var plotted = []string{"rx", "loop", "peers", "survey"}

// sampleTime is how long a sample takes when the user does not say.
func (o *options) sampleTime(suite string) time.Duration {
	if o.time > 0 {
		return o.time
	}
	switch suite {
	case "frames", "decode":
		return 50 * time.Millisecond
	case "tx", "rx":
		return 250 * time.Millisecond
	}
	return time.Second
}

// asked are the rates of a suite, from the lowest.
func (o *options) asked(defaults ...float64) []float64 {
	if o.rates != nil {
		return o.rates
	}
	return defaults
}
