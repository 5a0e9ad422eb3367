// Package ground is where probers are compared: one simulated Internet whose
// counters are the truth, targets in it, and programs that run there as child
// processes, measured from outside.
package ground

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/wire"
)

// Config says what the ground is like. Every probe is answered on it, unless it
// is Rough.
type Config struct {
	Seed uint64
	// Inline has the CPU that sends a probe answer it too, before the send
	// returns: slower, and the same every time. Otherwise the other CPUs answer.
	Inline    bool
	UserSpace bool
	Hops      int // of every path, destination included; 0 means 16
	Shared    int // first hops that all targets have in common; hop 1 always is
	// Wide gives routers addresses out of a /8, for millions of them that each
	// have their own.
	Wide bool
	// Rough is an Internet with all that makes paths hard to find. Paths are of
	// half of Hops and more, up to Hops.
	Rough bool
}

// backlog is how many frames may wait for the CPUs that answer.
const backlog = 50_000

// defaultHops is how long paths are.
const defaultHops = 16

// OpenPort is a TCP port on which all destinations listen.
const OpenPort = 80

// Ground is a simulated Internet with a folder for the files of its programs.
type Ground struct {
	*internet.Net
	Config  Config
	World   internet.Config // what is simulated: it knows the truth about every path
	CPUs    uint64          // that answer; 0: the one that sends
	Backlog int
	// WhyInline is why the CPU that sends answers although others were to; nil
	// where they do, and where nobody asked for it.
	WhyInline error
	Dir       string
	Gateway   net.HardwareAddr
}

// Source is the address that probes come from.
var Source = netip.MustParseAddr("10.99.0.1")

// first is the first target; those that follow count up.
var first = netip.MustParseAddr("20.0.0.0")

// MaxTargets is how many targets there are: a /10.
const MaxTargets = 1 << 22

// Plan is a ground without anything on it: suites tell what they would measure.
func Plan(c Config) *Ground {
	if c.Hops == 0 {
		c.Hops = defaultHops
	}
	return &Ground{Config: c, World: c.world()}
}

// Open builds the ground. Where the backlog of the machine may not be changed,
// as in a user namespace or behind the machine's first network namespace, it
// answers inline.
func Open(c Config) (*Ground, error) {
	planned := Plan(c)
	c, in := planned.Config, planned.World
	if others := othersThanFirst(); !c.Inline && !c.UserSpace && others != 0 && !lab.Reexecuted() {
		in.CPUs, in.Backlog = others, backlog
	}
	n, err := internet.Open(in)
	var inline error
	if errors.Is(err, internet.ErrBacklog) {
		inline = err
		in.CPUs, in.Backlog = 0, 0
		n, err = internet.Open(in)
	}
	if err != nil {
		return nil, err
	}
	g := &Ground{Net: n, Config: c, World: in, CPUs: in.CPUs, Backlog: in.Backlog, WhyInline: inline}
	if n.Form() == internet.InUserSpace {
		g.CPUs, g.Backlog = 0, 0
	}
	if err := g.prepare(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// world is what is simulated.
func (c *Config) world() internet.Config {
	in := internet.Config{
		Seed: c.Seed, MinHops: c.Hops, MaxHops: c.Hops, Shared: c.Shared, Open: []uint16{OpenPort}, UserSpace: c.UserSpace,
		// What routers quote is the shortest, so that all probers can read it.
		Minimal: 100,
	}
	if c.Wide {
		in.Routers4 = wideRouters
	}
	if c.Rough {
		in.MinHops = max(c.Hops/2, 1)
		in.Minimal, in.Labeled = 0, 0 // the usual mixture
		in.Silent, in.SilentHosts, in.Diamonds = 10, 10, 20
		in.Loops, in.Unreachable = 3, 5
		in.Duplicates, in.Late, in.LateBy = 3, 3, 20*time.Millisecond
	}
	return in
}

// wideRouters has no targets in it.
var wideRouters = netip.MustParsePrefix("100.0.0.0/8")

// othersThanFirst is a mask of all CPUs but the first, 0 where there is but one.
func othersThanFirst() uint64 {
	n := min(runtime.NumCPU(), 64)
	return ^uint64(0) >> (64 - n) &^ 1
}

func (g *Ground) prepare() error {
	err := g.Host(internet.Far).Do(func() error {
		ifi, err := net.InterfaceByName(internet.FarLink)
		if err == nil {
			g.Gateway = ifi.HardwareAddr
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("find the gateway's link address: %w", err)
	}
	// The kernel's own answers, such as resets and ICMP errors, would be frames
	// that no prober sent; IPv6 has nothing to do here.
	if g.HasIPv6() {
		for _, h := range []string{internet.Prober, internet.Far} {
			if err := g.Host(h).Sysctl("net/ipv6/conf/all/disable_ipv6", "1"); err != nil {
				return err
			}
		}
	}
	g.Dir, err = os.MkdirTemp("", "hopquote-bench-")
	return err
}

// Close removes all of it.
func (g *Ground) Close() error {
	err := g.Net.Close()
	if g.Dir != "" {
		err = errors.Join(err, os.RemoveAll(g.Dir))
	}
	return err
}

// Target gives the i-th target.
func Target(i int) netip.Addr {
	b := first.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 + uint32(i)
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// Prefix is the least prefix that holds the first n targets, and no fewer.
func Prefix(n int) netip.Prefix {
	bits := 32
	for n > 1<<(32-bits) {
		bits--
	}
	return netip.PrefixFrom(first, bits)
}

// WriteTargets writes the first n targets to a file, one a line, and gives its
// path.
func (g *Ground) WriteTargets(n int) (string, error) {
	if n < 1 || n > MaxTargets {
		return "", fmt.Errorf("%d targets, there are 1..%d", n, MaxTargets)
	}
	path := filepath.Join(g.Dir, fmt.Sprintf("targets-%d", n))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	var text strings.Builder
	for i := range n {
		text.WriteString(Target(i).String())
		text.WriteByte('\n')
	}
	return path, os.WriteFile(path, []byte(text.String()), 0o644)
}

// Sent reads what the prober's interface has counted.
func (g *Ground) Sent() (wire.Counters, error) {
	return wire.Read(g.Host(internet.Prober), internet.ProberLink)
}
