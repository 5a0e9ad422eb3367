package benchcmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/loop"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/peers"
	"github.com/hopquote/hopquote/bench/report"
	"github.com/hopquote/hopquote/bench/surveys"
	"github.com/hopquote/hopquote/bench/transmit"
)

// programs are those that the suites run.
type programs struct {
	self     string // this one
	hopquote string
	hasIt    error // why hopquote cannot be run; nil if it can
	peers    []contest.Contender
	profiles []string // flags for the bare loop
}

func findPrograms(o *options) (programs, error) {
	p := programs{hopquote: o.hopquote}
	var err error
	if p.self, err = os.Executable(); err != nil {
		return p, fmt.Errorf("find this program's file: %w", err)
	}
	if p.hopquote == "" {
		p.hopquote = filepath.Join(filepath.Dir(p.self), "hopquote")
	}
	if p.hopquote, err = filepath.Abs(p.hopquote); err != nil {
		return p, err
	}
	if _, err := exec.LookPath(p.hopquote); err != nil {
		p.hasIt = fmt.Errorf("not there: %w", err)
	}
	for _, c := range o.peers {
		p.peers = append(p.peers, peers.Named(c))
	}
	for _, f := range [][2]string{{"--cpuprofile", o.cpuProfile}, {"--trace", o.trace}} {
		if f[1] == "" {
			continue
		}
		path, err := filepath.Abs(f[1])
		if err != nil {
			return p, err
		}
		p.profiles = append(p.profiles, f[0], path)
	}
	return p, nil
}

// bare is the command of the bare loop.
func (p *programs) bare() string {
	return report.CommandLine(append([]string{p.self, bareName}, p.profiles...))
}

// traceCommand is a hopquote trace for every target.
const traceCommand = " trace -n -q 1 -N 16 -w 1 -m {hops} < {targets}"

// tracer is hopquote trace, a process for each target.
func (p *programs) tracer() contest.Contender {
	c := peers.Named(contest.Contender{Name: "traceroute"}) // it prints the same
	c.Name, c.Command, c.Strict = "hopquote trace", "xargs -n 1 "+report.CommandLine([]string{p.hopquote})+traceCommand, true
	c.Cap = 2_000
	_, c.Missing = p.help("trace")
	return c
}

// tracers take many traces: traceroute, which the others are compared with,
// scamper, and ours.
func (p *programs) tracers() []contest.Contender {
	var list []contest.Contender
	for _, c := range peers.All() {
		if c.Name == "traceroute" || c.Name == "scamper" {
			list = append(list, c)
		}
	}
	return append(append(list, p.tracer()), p.engine()...)
}

// peersSuite is everybody at every rate. The first row is ours, where there is
// one that takes a rate.
func (p *programs) peersSuite(g *ground.Ground, rates []float64, d time.Duration) measure.Suite {
	list := append(p.engine(), p.tracer())
	list = append(append(list, peers.All()...), p.peers...)
	return contest.Suite(g, contest.Config{
		Name: "peers", Title: "side by side on one simulated Internet, every probe answered",
		Contenders: list, Rates: rates, Time: d,
	})
}

// peerTime is about how long scamper's part in surveys takes.
const peerTime = time.Second

// surveys is hopquote survey in each mode, the bare loop and scamper.
func (p *programs) surveys(o *options) surveys.Config {
	c := surveys.Config{
		Hopquote: report.CommandLine([]string{p.hopquote}), Kind: o.kind, Checkpoints: !o.short, PeerTime: peerTime,
		Targets: surveys.Set{N: o.targets, Dense: o.dense, Seed: o.seed}, Rates: o.asked(0),
	}
	_, c.Missing = p.help("survey")
	packet, _ := transmit.Find("packet")
	c.Bare = loop.Bare(p.bare(), packet)
	for _, k := range peers.All() {
		if k.Name == "scamper" {
			c.Scamper = k
		}
	}
	return c
}
