package internet

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// crosstalk is one of several runs with the same target and the same ports. It
// remembers what left, and looks at every reply that it is given itself.
type crosstalk struct {
	probe   frame.Probe
	total   int
	next    int
	quiet   time.Duration // when the last reply is over due
	sent    []frame.Probe
	done    bool
	wrong   []string
	spoofed int
}

// spoofer is where forged replies say that they come from.
var spoofers = map[bool]netip.Addr{false: netip.MustParseAddr("203.0.113.66"), true: netip.MustParseAddr("2001:db8:6666::6")}

func (c *crosstalk) Plan(pass *scheduler.Pass) {
	for ; pass.Room > 0 && c.next < c.total; c.next++ {
		p := c.probe
		p.TTL = uint8(1 + c.next%20)
		if p.Method == frame.ICMP {
			p.Seq = uint32(c.next)
		}
		pass.Send(c.next, &p)
		c.quiet = pass.Now + 2*time.Second
	}
	if c.next == c.total {
		pass.Wake = c.quiet
		c.done = pass.Now >= c.quiet
	}
}

func (c *crosstalk) Sent(tag int, p *frame.Probe, _ time.Duration) { c.sent[tag] = *p }
func (c *crosstalk) Done() bool                                    { return c.done }

func (c *crosstalk) Learn(m *rx.Match) {
	p, r := &c.sent[m.Tag], m.Reply
	q := &r.Quote
	ours := true
	switch {
	case r.From == spoofers[p.IsIPv6()]:
		c.spoofed++
		return
	case r.Kind == frame.KindTCP:
		ours = r.Ack == p.Seq+1
	case r.Kind == frame.KindEchoReply:
		ours = r.Mark == p.Mark && uint16(r.Seq) == uint16(p.Seq)
	case !r.Kind.IsError():
		ours = false // no other is answered directly
	case p.Method == frame.TCP:
		ours = q.Seq == p.Seq
	default:
		ours = q.Checksum == p.Sum && (p.IsIPv6() || q.ID == p.ID)
	}
	if !ours || m.Verdict != rx.Exact {
		c.wrong = append(c.wrong, fmt.Sprintf("tag %d %v by %v: quote %+v of %+v", m.Tag, m.Verdict, m.Rule, *q, *p))
	}
}

// samePort is a PortHolder that has but one.
type samePort struct{}

func (samePort) Hold() (uint16, error) { return 45678, nil }
func (samePort) Release(uint16)        {}

// TestRunsAtOnce has runs side by side on one interface, with the same target
// and the same ports, that all hear all replies, while somebody floods them with
// forged ones: none takes another's or a forged one, and none loses its own.
//
// A look-alike that nobody aimed is one of n probes of a flow with odds of n in
// 2^32 where routers quote 28 bytes of a UDP probe, and far less elsewhere. A run
// with thousands of probes of one flow is what no traceroute does. So the seeds
// are ones of which no two runs draw the same, and the forger's are few where 32
// bits are all.
func TestRunsAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 probes: not in short mode")
	}
	for _, c := range []struct {
		runs, probes int // probes of all runs
		method       frame.Method
		v6, ledger   bool
		forged       int // at most
	}{
		{2, 20_000, frame.UDP, false, false, 500},
		{10, 30_000, frame.UDP, false, false, 500},
		{2, 10_000, frame.UDP, true, false, many},
		{2, 10_000, frame.ICMP, false, false, many},
		{10, 10_000, frame.TCP, false, false, many},
		{10, 10_000, frame.UDP, false, true, 500},
		{2, 5_000, frame.ICMP, true, true, many},
		{2, 5_000, frame.TCP, true, true, many},
	} {
		t.Run(fmt.Sprintf("%d runs/%s/ipv6=%t/ledger=%t", c.runs, c.method, c.v6, c.ledger), func(t *testing.T) {
			config := Config{Seed: 11}
			n := inKernel(t, config)
			runAtOnce(t, n, config.withDefaults(), c.runs, c.probes/c.runs, c.method, c.v6, c.ledger, c.forged)
		})
	}
}

const many = 1 << 30

func runAtOnce(t *testing.T, n *Net, config Config, runs, probes int, m frame.Method, v6, ledger bool, most int) {
	dst := netip.MustParseAddr("20.0.0.1")
	if v6 {
		dst = netip.MustParseAddr("2600::1")
	}
	p := frame.Probe{Method: m, Src: source(&config, dst), Dst: dst, Size: frame.MinSize(m, v6) + 12, SrcPort: 45678, DstPort: 33434}
	switch m {
	case frame.TCP:
		p.TCP.Flags, p.Size = frame.FlagSYN, 0
	case frame.ICMP:
		p.DstPort, p.SrcPort, p.Sum = 0, 4711, 0x1234
	}
	if ledger && !p.MakeKeyed() {
		t.Fatal("no token")
	}
	all := make([]*crosstalk, runs)
	counts := make([]rx.Counts, runs)
	drops := make([]uint64, runs)
	var wait sync.WaitGroup
	for i := range all {
		if ledger && v6 {
			p.Label = 0x12345 + uint32(i) // a survey draws one for each flow
		}
		c := &crosstalk{probe: p, total: probes, sent: make([]frame.Probe, probes)}
		all[i] = c
		e, ring, sender := openRun(t, n, dst)
		window := probes
		if ledger && v6 && m == frame.ICMP {
			// Some routers bring only half of a token back, which is looked for
			// among the last 256 probes to the destination.
			window = 48
		}
		cfg := scheduler.Config{
			Strategy: c, Clock: scheduler.Monotonic{Epoch: ring.Epoch()}, Sender: sender, Receiver: ring,
			Link: e.Header, Window: window, Rate: 20_000 / float64(runs),
			Identities: scheduler.NewFresh(samePort{}, rand.New(rand.NewPCG(uint64(i), 77)), nil),
		}
		if ledger {
			l, err := rx.NewLedger(rx.LedgerConfig{
				Key: [8]byte{byte(i), 1, 2}, Timeout: time.Minute, Slots: 2 * probes, IPv6: v6,
			})
			if err != nil {
				t.Fatal(err)
			}
			cfg.Book = l
		}
		wait.Go(func() {
			engine := scheduler.New(cfg)
			if err := engine.Run(context.Background()); err != nil {
				t.Error(err)
			}
			counts[i] = engine.Counts()
			drops[i], _ = ring.Drops()
		})
	}
	var stop atomic.Bool
	forged := make(chan int)
	go func() { forged <- flood(t, n, &p, most, &stop) }()
	wait.Wait()
	stop.Store(true)
	total := <-forged
	matched, spoofed := uint64(0), uint64(0)
	for i, c := range all {
		if len(c.wrong) > 0 || c.spoofed > 0 {
			t.Errorf("run %d: %d replies of others, %d forged ones; the first %.1v", i, len(c.wrong), c.spoofed, c.wrong)
		}
		if !counts[i].Balanced() {
			t.Errorf("run %d: counts %+v", i, counts[i])
		}
		matched += counts[i].Matched
		spoofed += counts[i].Verdicts[rx.Spoofed]
		if drops[i] > 0 {
			t.Logf("run %d: the ring dropped %d packets", i, drops[i])
		}
	}
	got, err := n.Counters()
	if err != nil {
		t.Fatal(err)
	}
	lost := uint64(0)
	for _, d := range drops {
		lost += d
	}
	if answered := got.Total().Answered; matched > answered || matched+lost < answered {
		t.Errorf("%d of %d answers found their probe, %d packets dropped", matched, answered, lost)
	}
	if spoofed == 0 || total == 0 {
		t.Errorf("%d forged, %d seen as such: nothing was tested", total, spoofed)
	}
	t.Logf("%d runs: %d matched, %d forged replies sent, %d look-alikes refused in all", runs, matched, total, spoofed)
}

// openRun opens what a run sends and receives by.
func openRun(t *testing.T, n *Net, dst netip.Addr) (e *link.Envelope, ring *rx.Ring, sender *link.Sender) {
	t.Helper()
	err := n.Host(Prober).Do(func() error {
		ifi, err := net.InterfaceByName(ProberLink)
		if err != nil {
			return err
		}
		if ring, err = rx.OpenRing(rx.RingConfig{Interface: ifi, Link: frame.LinkEthernet, Blocks: 128}); err != nil {
			return err
		}
		envelope, err := link.Lookup(link.Want{Dst: dst})
		if err != nil {
			return err
		}
		e = &envelope
		sender, err = link.OpenSender(envelope, link.SenderConfig{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ring.Close()
		sender.Close()
	})
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	if !sender.Resolve(ctx) {
		t.Fatal("the gateway is not found")
	}
	return e, ring, sender
}

// flood sends errors about probes that look like p, from the other end of the
// link: all is right but what a prober draws at random. It gives their number.
func flood(t *testing.T, n *Net, p *frame.Probe, most int, stop *atomic.Bool) (sent int) {
	err := n.Host(Far).Do(func() error {
		ifi, err := net.InterfaceByName(FarLink)
		if err != nil {
			return err
		}
		conn, err := packet.Listen(ifi, packet.Raw, 0x88b5, nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		r := rand.New(rand.NewPCG(1, 99))
		guess := *p
		guess.TTL = 1
		if p.Method != frame.TCP {
			guess.Conceal()
		}
		template, err := frame.NewTemplate(frame.Link{}, &guess)
		if err != nil {
			return err
		}
		quote := make([]byte, template.Len())
		broadcast := packet.Addr{HardwareAddr: net.HardwareAddr{255, 255, 255, 255, 255, 255}}
		for ; sent < most && !stop.Load(); sent++ {
			guess.Label = r.Uint32()
			guess.ID, guess.Sum, guess.Mark = uint16(r.Uint32()), uint16(1+r.Uint32N(0xfffe)), r.Uint32()
			if p.Method == frame.ICMP {
				guess.Seq = r.Uint32N(1 << 14)
			} else {
				guess.Seq = r.Uint32()
			}
			template.Put(quote, &guess)
			m := frame.ErrorMessage{
				Link: frame.Link{Type: frame.LinkEthernet}, From: spoofers[p.IsIPv6()], To: p.Src, TTL: 60, Type: 11, Quote: quote,
			}
			if p.IsIPv6() {
				m.Type = 3
			}
			if sent%3 == 1 && !p.IsIPv6() { // claims an identification of zero
				binary.BigEndian.PutUint16(quote[4:], 0)
			}
			f := m.Append(nil)
			copy(f, broadcast.HardwareAddr)
			f[6] = 2
			if _, err := conn.WriteTo(f, &broadcast); err != nil {
				time.Sleep(time.Millisecond) // no room in the queue
				continue
			}
			if sent%32 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return sent
}
