package rx

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// journal is the probes of a ledger as the test remembers them, all of them.
type journal struct {
	t      *testing.T
	ledger *Ledger
	now    time.Duration
	v6     bool
	probes []journaled
	sent   uint64
	got    uint64
}

type journaled struct {
	probe  frame.Probe
	wire   []byte
	at     time.Duration
	number uint64 // how many probes left before it, those that never did included
	state  state
	left   bool
}

const journalSlots = 8

// known is the probes that left and whose slot is theirs still.
func (j *journal) known(p *journaled) bool {
	var last uint64
	for i := len(j.probes) - 1; i >= 0; i-- {
		if j.probes[i].left {
			last = j.probes[i].number
			break
		}
	}
	return p.left && last-p.number < journalSlots
}

func (j *journal) family(t *rapid.T) family {
	if j.v6 && rapid.Bool().Draw(t, "ipv6") {
		return ipv6
	}
	return ipv4
}

func (j *journal) send(t *rapid.T) {
	f := j.family(t)
	m := rapid.SampledFrom([]frame.Method{frame.UDP, frame.UDP, frame.ICMP, frame.TCP, frame.UDPLite}).Draw(t, "method")
	dst := rapid.SampledFrom([]netip.Addr{f.target, f.other}).Draw(t, "destination")
	p := f.keyed(j.t, m, dst, rapid.Uint8Range(1, 30).Draw(t, "ttl"))
	n := len(j.probes)
	next := j.ledger.next
	ticket, err := j.ledger.Take(n, &p, false)
	if errors.Is(err, ErrBusy) {
		for i := range j.probes {
			if q := &j.probes[i]; q.left && q.state == inFlight && j.number(next)-q.number >= journalSlots-maxSkip {
				return
			}
		}
		t.Fatalf("busy, with %d in flight", j.ledger.InFlight())
	}
	if err != nil {
		t.Fatal(err)
	}
	e := journaled{probe: p, wire: onWire(j.t, &p), at: j.now, number: j.number(uint32(ticket))}
	if rapid.IntRange(0, 9).Draw(t, "leaves") > 0 {
		e.left = true
		j.ledger.Enter(ticket, n, &p, j.now)
		j.sent++
	}
	j.probes = append(j.probes, e)
}

// number is a sequence number that does not wrap.
func (j *journal) number(seq uint32) uint64 { return uint64(seq - journalStart) }

// journalStart makes the numbers wrap early.
const journalStart = 1<<32 - 10

func (j *journal) wait(t *rapid.T) {
	j.now += time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * time.Millisecond
	i := 0
	due := j.ledger.Overdue(j.now, func(tag int, o *Origin) {
		for ; i < tag; i++ {
			if p := &j.probes[i]; p.left && p.state == inFlight {
				t.Fatalf("probe %d was given up before probe %d", tag, i)
			}
		}
		p := &j.probes[tag]
		if !p.left || p.state != inFlight || p.at+patience > j.now || o.Dst != p.probe.Dst || o.TTL != p.probe.TTL || o.Sent != p.at {
			t.Fatalf("probe %d %+v given up at %v as %+v", tag, p, j.now, o)
		}
		p.state = expired
	})
	for i := range j.probes {
		if p := &j.probes[i]; p.left && p.state == inFlight {
			if p.at+patience != due || due <= j.now {
				t.Fatalf("the oldest in flight left at %v, but due is %v at %v", p.at, due, j.now)
			}
			return
		}
	}
}

// reply brings a reply to any probe that was ever planned, as it would come or
// spoiled on the way.
func (j *journal) reply(t *rapid.T) {
	if len(j.probes) == 0 {
		return
	}
	// The latest most of all.
	n := max(len(j.probes)-1-rapid.IntRange(0, 30).Draw(t, "back"), 0)
	p := &j.probes[n]
	f := ipv4
	if p.probe.IsIPv6() {
		f = ipv6
	}
	var r frame.Reply
	wire := p.wire
	exact := true // everything came back
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0:
		r = answeredBy(j.t, &p.probe, wire)
		exact = p.probe.Method == frame.ICMP || p.probe.Method == frame.TCP
	case 1: // the least that routers quote
		length := p.probe.HeaderLen()
		exact = f.local.Is4() || p.probe.Method == frame.TCP
		if p.probe.Method == frame.TCP {
			length = length - 20 + 8
		}
		r = quoted(j.t, f.router, f.local, wire, length)
	case 2:
		if exact = f.local.Is6(); !exact {
			wire = setID(wire, 0)
		}
		r = quoted(j.t, f.router, f.local, wire, 200)
	default:
		r = quoted(j.t, f.router, f.local, wire, 200)
	}
	var m Match
	j.match(t, &r, &m)
	switch {
	case !m.Verdict.Attributed() && exact && j.known(p):
		t.Fatalf("reply to probe %d is a stray: %v", n, m.Reason)
	case !m.Verdict.Attributed():
		return
	case m.Origin.Dst != p.probe.Dst || j.probes[m.Tag].probe.Method != p.probe.Method:
		t.Fatalf("reply to probe %d to %v is for probe %d to %v", n, p.probe.Dst, m.Tag, m.Origin.Dst)
	}
	q := &j.probes[m.Tag]
	if m.Tag != n {
		// Only what brings no whole token back may be another's of the flow.
		partial := r.Kind.IsError() && uint16(tokenOf(j, q)) == uint16(tokenOf(j, p)) && !exact
		direct := r.Kind == frame.KindUDP || r.Kind == frame.KindUDPLite
		if !partial && !direct {
			t.Fatalf("reply to probe %d is for probe %d", n, m.Tag)
		}
	}
	j.learn(t, q, &m)
}

func tokenOf(j *journal, p *journaled) uint32 {
	return j.ledger.cipher.Encrypt(uint32(p.number) + journalStart)
}

// learn checks the verdict against what is known of the probe.
func (j *journal) learn(t *rapid.T, p *journaled, m *Match) {
	want := map[state]Verdict{answered: Duplicate, expired: Late}[p.state]
	if p.state == inFlight {
		if want = firstVerdict(m.Flags); m.Ambiguous {
			want = Undecided
		}
		p.state = answered
	}
	if m.Verdict != want || !p.left || m.RTT != max(j.now-p.at, 1) || m.Origin.TTL != p.probe.TTL || m.Origin.Sent != p.at {
		t.Fatalf("%+v for a probe %+v, want %v", m, p, want)
	}
}

// forge brings what somebody may send who has not seen the probe.
func (j *journal) forge(t *rapid.T) {
	if len(j.probes) == 0 {
		return
	}
	n := rapid.IntRange(0, len(j.probes)-1).Draw(t, "probe")
	p := j.probes[n].probe
	f := ipv4
	if p.IsIPv6() {
		f = ipv6
	}
	seen := true // by who sends this
	switch rapid.IntRange(0, 3).Draw(t, "wrong") {
	case 0:
		p.SrcPort ^= uint16(rapid.IntRange(1, 0x3fff).Draw(t, "port"))
	case 1:
		p.Dst = f.local
	case 2:
		p.Src = f.router
	default:
		seen = false
		// A token that never was: its halves are no probe's by chance either.
		for token := rapid.Uint32().Draw(t, "token"); ; token++ {
			if p.ID ^= 0x55aa; p.SetToken(token) && j.free(token) {
				break
			}
		}
	}
	r := quoted(j.t, f.router, f.local, onWire(j.t, &p), 200)
	if rapid.Bool().Draw(t, "direct") && (p.Method == frame.TCP || p.Method == frame.ICMP) {
		r = answeredBy(j.t, &p, onWire(j.t, &p))
	}
	var m Match
	j.match(t, &r, &m)
	switch {
	case !m.Verdict.Attributed():
	case !seen:
		t.Fatalf("a forged reply is %v for probe %d", m.Verdict, m.Tag)
	case m.Tag != n || m.Flags&(anomaly.Source|anomaly.Destination|anomaly.SourcePort|anomaly.OtherAddress) == 0:
		t.Fatalf("a rewritten reply to probe %d is %v for probe %d: %v", n, m.Verdict, m.Tag, m.Flags)
	default:
		j.learn(t, &j.probes[n], &m)
	}
}

func (j *journal) free(token uint32) bool {
	for i := range j.probes {
		own := tokenOf(j, &j.probes[i])
		if uint16(own) == uint16(token) || own>>16 == token>>16 {
			return false
		}
	}
	return true
}

func (j *journal) match(t *rapid.T, r *frame.Reply, m *Match) {
	before := j.ledger.InFlight()
	j.ledger.Match(r, j.now, m)
	j.got++
	first := m.Verdict.First()
	if first != (j.ledger.InFlight() == before-1) || m.Verdict.Attributed() != (m.Reason == ReasonNone) {
		t.Fatalf("%v (%v), and in flight went from %d to %d", m.Verdict, m.Reason, before, j.ledger.InFlight())
	}
}

func (j *journal) check(t *rapid.T) {
	c := j.ledger.Counts()
	if !c.Balanced() || c.Sent != j.sent || c.Received != j.got {
		t.Fatalf("%d sent and %d received, but counts are %+v", j.sent, j.got, c)
	}
}

func TestLedgerProperties(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		rapid.Check(t, func(rt *rapid.T) {
			j := &journal{t: t, ledger: newLedger(t, journalSlots, v6), v6: v6, now: time.Hour}
			l := j.ledger
			l.next, l.entered, l.tail = journalStart, journalStart, journalStart
			rt.Repeat(map[string]func(*rapid.T){
				"send": j.send, "send again": j.send, "wait": j.wait, "reply": j.reply, "reply again": j.reply,
				"forge": j.forge, "": j.check,
			})
		})
	}
}
