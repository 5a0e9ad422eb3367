package pmtu_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

const ms = time.Millisecond

// ports hands out source ports without sockets.
type ports struct{ next uint16 }

func (p *ports) Hold() (uint16, error) { p.next++; return 40000 + p.next, nil }
func (p *ports) Release(uint16)        {}

// path is a run over routers 10.1.n.1 to the target at TTL len(links). The
// first link is this host's own.
type path struct {
	links  []int // MTUs; 0: no limit
	silent []int // routers that drop in silence (n of 10.1.n.1)
	mute   []int // hops that never answer
	tell   map[int]uint32
	method frame.Method // UDP unless given
	v6     bool

	size, queries, window int // 65000, 3 and 1 unless given
	wait                  hops.Wait
	// lose, when set, may lose a probe or its answers.
	lose func(virtual.Sent) bool
	// fail, when set, may end the run at a send.
	fail func(at time.Duration) error
	// answer, when set, stands in for what the hops answer.
	answer func(virtual.Sent) []virtual.Reply
}

type strategy interface {
	scheduler.Strategy
	Records() []hops.Record
	Reached() bool
	Stopped() bool
	Finish()
}

type result struct {
	lines    []string
	strategy strategy
	net      *virtual.Net
	counts   rx.Counts
}

func (c *path) router(n int) netip.Addr {
	if c.v6 {
		return netip.MustParseAddr(fmt.Sprintf("fd00::%d:1", n))
	}
	return netip.AddrFrom4([4]byte{10, 1, byte(n), 1})
}

func (c *path) ends() (src, dst netip.Addr) {
	if c.v6 {
		return netip.MustParseAddr("fd00::9"), netip.MustParseAddr("fd00::2")
	}
	return netip.MustParseAddr("10.9.9.1"), netip.MustParseAddr("10.2.2.2")
}

// network models the path.
func (c *path) network() *virtual.Net {
	_, dst := c.ends()
	script := &virtual.Script{TTL: map[int][]virtual.Step{}, Rest: []virtual.Step{{Kind: frame.KindUnreachable, Code: 3, After: ms}}}
	if c.v6 {
		script.Rest[0].Code = 4
	}
	if c.method == frame.ICMP {
		script.Rest[0] = virtual.Step{Kind: frame.KindEchoReply, From: dst, After: ms}
	}
	links := &virtual.Links{MTU: c.links, Router: map[int]netip.Addr{}, Tell: c.tell, Next: script.Respond}
	for n := range c.links {
		links.Router[n] = c.router(n)
		if n > 0 {
			script.TTL[n] = []virtual.Step{{Kind: frame.KindTimeExceeded, From: c.router(n), After: ms}}
		}
	}
	for _, n := range c.mute {
		if n >= len(c.links) {
			script.Rest = nil
		}
		script.TTL[n] = nil
	}
	for _, n := range c.silent {
		delete(links.Router, n)
	}
	if c.answer != nil {
		links.Next = c.answer
	}
	respond := links.Respond
	if c.lose != nil {
		respond = func(p virtual.Sent) []virtual.Reply {
			if c.lose(p) {
				return nil
			}
			return links.Respond(p)
		}
	}
	net := &virtual.Net{Respond: respond}
	if c.fail != nil {
		net.Refuse = func(at time.Duration, _ []byte) (bool, error) {
			err := c.fail(at)
			return err == nil, err
		}
	}
	return net
}

// run traces the path by the strategy that make builds.
func run[S strategy](c path, make func(hops.Config) (S, error)) (result, error) {
	if c.method == 0 {
		c.method = frame.UDP
	}
	if c.queries == 0 {
		c.queries = 3
	}
	if c.size == 0 {
		c.size = 65000
	}
	if c.wait.Max == 0 {
		c.wait = hops.Wait{Max: 5 * time.Second, Here: 3, Near: 10}
	}
	src, dst := c.ends()
	res := result{net: c.network()}
	cfg := hops.Config{
		First: 1, Last: 30, Queries: c.queries, Wait: c.wait, Count: hops.CountPort,
		Probe:  frame.Probe{Method: c.method, Src: src, Dst: dst, Size: c.size, DF: true, DstPort: 33434},
		Settle: func(s hops.Settled) { res.lines = appendSettled(res.lines, s) },
	}
	if c.method == frame.ICMP {
		cfg.Count, cfg.Probe.DstPort, cfg.Probe.SrcPort, cfg.Probe.Seq = hops.CountSeq, 0, 77, 1
	}
	s, err := make(cfg)
	if err != nil {
		return result{}, err
	}
	res.strategy = s
	engine := scheduler.New(scheduler.Config{
		Strategy: s, Clock: res.net, Sender: res.net, Receiver: res.net,
		Identities: scheduler.NewFresh(&ports{}, rand.New(rand.NewPCG(1, 2)), nil),
		Window:     c.window, MTU: c.links[0],
	})
	err = engine.Run(context.Background())
	res.counts = engine.Counts()
	if err == nil && !res.counts.Balanced() {
		err = fmt.Errorf("counts don't balance: %+v", res.counts)
	}
	return res, err
}

// appendSettled prints a probe as traceroute -n does, every time as X.
func appendSettled(lines []string, s hops.Settled) []string {
	if s.Query == 0 {
		lines = append(lines, fmt.Sprintf("%2d ", s.TTL))
	}
	line := lines[len(lines)-1]
	a := s.Answer
	switch name := " " + a.From.String(); {
	case s.Outcome == hops.Lost || !a.From.IsValid():
		line += " *"
	case !strings.Contains(line, name):
		line += name
	}
	if s.Outcome > hops.Lost {
		line += "  X ms"
	}
	switch {
	case s.Outcome > hops.Lost && a.Kind == frame.KindTooBig:
		line += fmt.Sprintf(" !F-%d", a.MTU)
	case s.Shrunk != 0 && s.Probed:
		line += fmt.Sprintf(" F~%d", s.Shrunk)
	case s.Shrunk != 0:
		line += fmt.Sprintf(" F=%d", s.Shrunk)
	}
	lines[len(lines)-1] = line
	return lines
}

// wire lists what left, as port(size) or sequence(size), in order.
func (r result) wire() string {
	var words []string
	for _, p := range r.net.Sent {
		n := uint32(p.Probe.DstPort)
		if p.Probe.Method == frame.ICMP {
			n = p.Probe.Seq
		}
		words = append(words, fmt.Sprintf("%d(%d)", n, p.Probe.Size))
	}
	return strings.Join(words, " ")
}

var (
	_ strategy = (*hops.Hops)(nil)
	_ strategy = (*pmtu.Search)(nil)
)
