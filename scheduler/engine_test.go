package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

const ms = time.Millisecond

var (
	source = netip.MustParseAddr("10.9.9.1")
	target = netip.MustParseAddr("10.2.2.2")
	router = netip.MustParseAddr("10.1.1.1")
)

// burst sends probes to TTL 1, 2, …, total, and gives each up after timeout.
// It logs everything that happens to it.
type burst struct {
	total   int
	timeout time.Duration
	size    int
	df      bool

	next    int
	open    map[int]time.Duration // send time by tag
	deepest int                   // most probes in flight ever
	log     []string
}

func (b *burst) Plan(pass *scheduler.Pass) {
	for tag := range b.next {
		at, ok := b.open[tag]
		if !ok {
			continue
		}
		if at+b.timeout <= pass.Now {
			delete(b.open, tag)
			pass.Expire(tag)
			b.log = append(b.log, fmt.Sprintf("%v expired %d", pass.Now, tag))
			continue
		}
		pass.Wake = min(pass.Wake, at+b.timeout)
	}
	for n := b.next; n < b.total; n++ {
		size := b.size
		if size == 0 {
			size = 60
		}
		p := frame.Probe{Method: frame.UDP, Src: source, Dst: target, Size: size, DF: b.df, TTL: uint8(n%255 + 1), DstPort: 33434}
		if !pass.Send(n, &p) {
			return
		}
	}
}

func (b *burst) Sent(tag int, p *frame.Probe, at time.Duration) {
	if b.open == nil {
		b.open = make(map[int]time.Duration)
	}
	b.open[tag] = at
	b.next = tag + 1
	b.deepest = max(b.deepest, len(b.open))
	b.log = append(b.log, fmt.Sprintf("%v sent %d ttl %d", at, tag, p.TTL))
}

func (b *burst) Learn(m *rx.Match) {
	if m.Verdict.First() {
		delete(b.open, m.Tag)
	}
	b.log = append(b.log, fmt.Sprintf("%v %v %d %v", m.At, m.Verdict, m.Tag, m.RTT))
}

func (b *burst) Done() bool { return b.next == b.total && len(b.open) == 0 }

// ports counts what is held, and may have an end.
type ports struct {
	next, held, limit int
}

func (p *ports) Hold() (uint16, error) {
	if p.limit > 0 && p.held >= p.limit {
		return 0, syscall.EMFILE
	}
	p.next++
	p.held++
	return uint16(p.next), nil
}

func (p *ports) Release(uint16) { p.held-- }

func config(s scheduler.Strategy, net *virtual.Net, p *ports) scheduler.Config {
	return scheduler.Config{
		Strategy: s, Clock: net, Sender: net, Receiver: net,
		Identities: scheduler.NewFresh(p, rand.New(rand.NewPCG(1, 2)), nil),
	}
}

func answerAll(after time.Duration) *virtual.Net {
	script := &virtual.Script{Rest: []virtual.Step{{Kind: frame.KindTimeExceeded, From: router, After: after}}}
	return &virtual.Net{Respond: script.Respond}
}

func checkBalance(t *testing.T, e *scheduler.Engine, p *ports) {
	t.Helper()
	if c := e.Counts(); !c.Balanced() {
		t.Errorf("counts don't balance: %+v", c)
	}
	if p.held != 0 {
		t.Errorf("%d source ports still held", p.held)
	}
}

func TestEngineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 40).Draw(t, "window")
		gap := time.Duration(rapid.IntRange(0, 20).Draw(t, "gap ms")) * ms
		s := &burst{
			total:   rapid.IntRange(1, 120).Draw(t, "probes"),
			timeout: time.Duration(rapid.IntRange(1, 50).Draw(t, "timeout ms")) * ms,
		}
		script := &virtual.Script{TTL: map[int][]virtual.Step{}}
		for ttl := 1; ttl <= s.total; ttl++ {
			step := virtual.Step{
				Kind: frame.KindTimeExceeded, From: router,
				After: time.Duration(rapid.IntRange(0, 80).Draw(t, "after ms")) * ms,
				Again: rapid.IntRange(0, 1).Draw(t, "duplicates"),
			}
			if rapid.IntRange(0, 4).Draw(t, "loss") == 0 {
				step = virtual.Step{}
			}
			script.TTL[ttl] = []virtual.Step{step}
		}
		net := &virtual.Net{Respond: script.Respond}
		// Some sends find the sender full.
		refusals := rapid.SliceOfN(rapid.Bool(), 0, 20).Draw(t, "refusals")
		net.Refuse = func(time.Duration, []byte) (bool, error) {
			if len(refusals) == 0 {
				return true, nil
			}
			ok := refusals[0]
			refusals = refusals[1:]
			return ok, nil
		}
		p := &ports{limit: rapid.IntRange(1, 60).Draw(t, "ports")}
		cfg := config(s, net, p)
		cfg.Window, cfg.Gap, cfg.Batch = window, gap, rapid.IntRange(1, 8).Draw(t, "batch")
		e := scheduler.New(cfg)
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		c := e.Counts()
		if !c.Balanced() || int(c.Sent) != s.total || len(net.Sent) != s.total {
			t.Errorf("%d planned, %d on the wire, counts %+v", s.total, len(net.Sent), c)
		}
		if p.held != 0 {
			t.Errorf("%d source ports still held", p.held)
		}
		if limit := min(window, p.limit); s.deepest > limit {
			t.Errorf("%d in flight, the window is %d", s.deepest, limit)
		}
		for i := 1; i < len(net.Sent); i++ {
			if d := net.Sent[i].At - net.Sent[i-1].At; d < gap {
				t.Errorf("probe %d left %v after the one before, gap is %v", i, d, gap)
			}
		}
	})
}

func TestEngineIsDeterministic(t *testing.T) {
	events := func() []string {
		s := &burst{total: 50, timeout: 30 * ms}
		script := &virtual.Script{
			TTL:  map[int][]virtual.Step{7: {{}}, 9: {{Kind: frame.KindTimeExceeded, From: router, After: 40 * ms}}},
			Rest: []virtual.Step{{Kind: frame.KindTimeExceeded, From: router, After: 3 * ms, Again: 1}},
		}
		cfg := config(s, &virtual.Net{Respond: script.Respond}, &ports{})
		cfg.Window = 8
		if err := scheduler.New(cfg).Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return s.log
	}
	if diff := cmp.Diff(events(), events()); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

func TestEngineInterrupted(t *testing.T) {
	net := answerAll(10 * ms)
	p := &ports{}
	s := &burst{total: 100, timeout: time.Second}
	cfg := config(s, net, p)
	cfg.Window = 4
	ctx, cancel := context.WithCancel(context.Background())
	respond := net.Respond
	net.Respond = func(probe virtual.Sent) []virtual.Reply {
		if probe.Probe.TTL == 10 {
			cancel()
		}
		return respond(probe)
	}
	e := scheduler.New(cfg)
	if err := e.Run(ctx); !errors.Is(err, scheduler.ErrInterrupted) {
		t.Errorf("Run gave %v", err)
	}
	checkBalance(t, e, p)
	if c := e.Counts(); c.Sent != 12 || c.Answered != 8 || c.InFlight != 4 {
		t.Errorf("sent %d, answered %d, in flight %d; want 12, 8, 4", c.Sent, c.Answered, c.InFlight)
	}
}

func TestEngineSenderFails(t *testing.T) {
	net := answerAll(10 * ms)
	net.Refuse = func(at time.Duration, _ []byte) (bool, error) {
		if at >= 20*ms {
			return false, syscall.ENETDOWN
		}
		return true, nil
	}
	p := &ports{}
	cfg := config(&burst{total: 10, timeout: time.Second}, net, p)
	e := scheduler.New(cfg)
	if err := e.Run(context.Background()); !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("Run gave %v", err)
	}
	checkBalance(t, e, p)
	if c := e.Counts(); c.Sent != 2 || c.Answered != 2 {
		t.Errorf("sent %d, answered %d; want 2 and 2", c.Sent, c.Answered)
	}
}

func TestEngineSenderStaysFull(t *testing.T) {
	net := answerAll(ms)
	net.Refuse = func(time.Duration, []byte) (bool, error) { return false, nil }
	p := &ports{}
	e := scheduler.New(config(&burst{total: 1, timeout: time.Second}, net, p))
	err := e.Run(context.Background())
	if err == nil || err.Error() != "send probe: No buffer space available" {
		t.Errorf("Run gave %v", err)
	}
	if net.Now() < 5*time.Second {
		t.Errorf("gave up after %v", net.Now())
	}
}

// A frame that the sender refused may hold the only identity there is, with
// nothing in flight that could wake anybody.
func TestEngineSenderFullAndIdentitiesTaken(t *testing.T) {
	net := answerAll(ms)
	refusals := 3
	net.Refuse = func(time.Duration, []byte) (bool, error) {
		refusals--
		return refusals < 0, nil
	}
	p := &ports{limit: 1}
	cfg := config(&burst{total: 2, timeout: time.Second}, net, p)
	cfg.Window, cfg.Batch = 2, 2
	e := scheduler.New(cfg)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkBalance(t, e, p)
	if c := e.Counts(); c.Answered != 2 {
		t.Errorf("%d answered, want 2", c.Answered)
	}
}

func TestEngineWaitsForWriters(t *testing.T) {
	net := answerAll(ms)
	full := true
	cfg := config(&burst{total: 3, timeout: time.Second}, net, &ports{})
	cfg.Full = func() bool {
		full = full && net.Now() < 100*ms
		return full
	}
	if err := scheduler.New(cfg).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(net.Sent) != 3 || net.Sent[0].At < 100*ms {
		t.Errorf("%d probes sent, the first at %v; want 3 from 100 ms on", len(net.Sent), net.Sent[0].At)
	}
}

func TestEngineTooBig(t *testing.T) {
	net := answerAll(ms)
	s := &burst{total: 2, timeout: time.Second, size: 1501, df: true}
	cfg := config(s, net, &ports{})
	cfg.MTU = 1500
	e := scheduler.New(cfg)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []string{"0s sent 0 ttl 1", "1ns exact 0 1ns", "0s sent 1 ttl 2", "1ns exact 1 1ns"}
	if diff := cmp.Diff(want, s.log); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if c := e.Counts(); len(net.Sent) != 0 || c.Sent != 0 {
		t.Errorf("%d frames left, %d counted", len(net.Sent), c.Sent)
	}
}

func TestEngineFragments(t *testing.T) {
	var sizes []int
	wire := &virtual.Net{}
	wire.Refuse = func(_ time.Duration, f []byte) (bool, error) {
		sizes = append(sizes, len(f))
		return true, nil
	}
	cfg := config(&burst{total: 1, timeout: ms, size: 2000}, wire, &ports{})
	cfg.MTU, cfg.Sender = 1500, lengths{&sizes}
	e := scheduler.New(cfg)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1500, 520}, sizes); diff != "" {
		t.Errorf("frame lengths (-want +got):\n%s", diff)
	}
	if c := e.Counts(); c.Sent != 1 || c.Expired != 1 {
		t.Errorf("counts %+v; want one probe sent and expired", c)
	}
}

// lengths is a sender that only looks at how long the frames are.
type lengths struct{ of *[]int }

func (l lengths) Send(frames [][]byte) (int, error) {
	for _, f := range frames {
		*l.of = append(*l.of, len(f))
	}
	return len(frames), nil
}
