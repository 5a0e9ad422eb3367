package rx

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// LedgerConfig says what a Ledger is for.
type LedgerConfig struct {
	// Key makes the tokens; it should come from a source that nobody can guess.
	Key [8]byte
	// Timeout is how long after its sending a probe is given up.
	Timeout time.Duration
	// Slots is how many probes are remembered, 1 to MaxSlots, rounded up to a
	// power of two: those in flight and, for late and duplicate replies, as many
	// as there is room for after them. Twice the window is plenty.
	Slots int
	// Whole compares every quoted byte with what was sent, as Table.Whole does.
	Whole bool
	// Shared says that other ledgers have probes to the same destinations, and that
	// replies to them come here too. The weak Rules that do without the source port
	// rest then: a guess of 16 bits is as good for the others' probes as for these.
	Shared bool
	// IPv6 makes room for IPv6 addresses: 40 bytes a slot instead of 24.
	IPv6 bool
}

// MaxSlots is the most slots of a Ledger.
const MaxSlots = 1 << 24

// MaxTag is the greatest tag that a Ledger takes.
const MaxTag = 1<<48 - 1

// Ledger remembers probes by the order in which they were sent, for runs that
// send millions: the n-th probe's token (frame.Cipher) is n encrypted, so that a
// quoted token gives n, and n the probe's slot in a ring, without a look-up.
// Whatever else the quote tells is then verified as in a Table.
//
// A slot holds what differs from probe to probe. What they share (method,
// source, destination port, TOS, size, …) is held once a kind; there are few
// kinds. Timeouts are all the same, so that the order of sending is the order in
// which they end: a ring is all the timer wheel it takes. A probe is known,
// answered or given up, until its slot is taken again, Slots probes later.
//
// Probes are of the shape that frame.Probe.MakeKeyed makes, without a Route, with
// tags from 0 to MaxTag. One goroutine owns a Ledger. Nothing allocates but the
// first probe of a kind.
type Ledger struct {
	cipher  *frame.Cipher
	timeout time.Duration
	ring    ring
	index   index
	kinds   kinds
	pending halves
	guard   guard
	whole   bool
	shared  bool
	packets packets
	counts  Counts

	// Sequence numbers; they wrap, and only their differences count.
	next    uint32 // of the probe that is given its identity next
	entered uint32 // of the probe that leaves next; from here to next none has left
	tail    uint32 // those before are answered or given up
	numbers uint64 // how many were entered or left out, without wrapping

	// Scratch:
	sent   *frame.Probe // the one that was expanded last
	inner  frame.Reply  // has a quote found inside a quote
	origin Origin
}

// NewLedger makes an empty ledger.
func NewLedger(c LedgerConfig) (*Ledger, error) {
	switch {
	case c.Slots < 1 || c.Slots > MaxSlots:
		return nil, fmt.Errorf("new ledger: %d slots, want 1..%d", c.Slots, MaxSlots)
	case c.Timeout <= 0:
		return nil, fmt.Errorf("new ledger: timeout %v, want above 0", c.Timeout)
	}
	size := uint32(1) << bits.Len32(uint32(c.Slots-1))
	l := &Ledger{cipher: frame.NewCipher(c.Key), timeout: c.Timeout, ring: newRing(size, c.IPv6), whole: c.Whole, shared: c.Shared}
	l.index = newIndex(size, l.cipher)
	return l, nil
}

// maxSkip bounds how many tokens in a row may be of no use to a probe. One in
// 2^16 is usual, more only where hundreds of probes share a flow.
const maxSkip = 8

// errToken is for probes that carry none.
var errToken = errors.New("give identity: the probe has no room for a token, which takes a shape of Probe.MakeKeyed")

// Take gives p its token, and the ticket to Enter it by once it has left: in
// fragments if cut. ErrBusy means that as many probes as there are slots are in
// flight, or were sent after one that is.
func (l *Ledger) Take(tag int, p *frame.Probe, cut bool) (Ticket, error) {
	if tag < 0 || tag > MaxTag {
		return 0, fmt.Errorf("give identity: tag %d, want 0..%d", tag, MaxTag)
	}
	kind, err := l.kinds.find(p, cut, l.ring.wide == words6)
	if err != nil {
		return 0, err
	}
	for range maxSkip {
		if l.next-l.tail >= l.ring.size {
			l.settle()
			if l.next-l.tail >= l.ring.size {
				return 0, ErrBusy
			}
		}
		seq := l.next
		l.next++
		token := l.cipher.Encrypt(seq)
		if p.SetToken(token) && l.tellsApart(p, token) {
			if p.Method == frame.TCP {
				p.ID = l.checkID(seq)
			}
			return Ticket(kind)<<32 | Ticket(seq), nil
		}
	}
	l.next -= maxSkip
	return 0, errToken
}

// checkID is the identification of a TCP probe, whose token is all in its
// sequence number: 16 more bits that tell the probe where that was rewritten.
// No token is made of the same number, which counts down as tokens count up.
func (l *Ledger) checkID(seq uint32) uint16 { return uint16(l.cipher.Encrypt(^seq)) }

// Return does nothing: a token is not used again.
func (l *Ledger) Return(Ticket, *frame.Probe) {}

// Enter notes that the probe that got the ticket left at at. Probes are entered
// in the order in which they were taken, and may be left out.
func (l *Ledger) Enter(t Ticket, tag int, p *frame.Probe, at time.Duration) {
	seq := uint32(t)
	for ; l.entered != seq; l.entered++ {
		l.ring.clear(l.entered)
		l.numbers++
		if l.ring.wide == words6 {
			l.pending.remove(l.cipher.Encrypt(l.entered))
		}
	}
	half := lowHalf(p)
	if mayComeHalved(p) {
		l.pending.remove(half)
	}
	l.ring.put(seq, &slot{
		sent: at, tag: tag, dst: addressOf(p.Dst), kind: uint16(t >> 32), srcPort: p.SrcPort,
		label: p.Label & maxLabel, hint: half & hintMask, ttl: p.TTL, state: flying,
	})
	l.entered++
	l.numbers++
	l.counts.Sent++
	l.counts.InFlight++
}

// Expire does nothing: the ledger has a timeout of its own.
func (l *Ledger) Expire(int) {}

// Overdue gives up every probe in flight that left Timeout before now or
// earlier, and calls f for each, oldest first; f may be nil, and must not call
// the ledger. It gives the time at which the next one's timeout is over, the
// greatest Duration if there is none.
func (l *Ledger) Overdue(now time.Duration, f func(tag int, o *Origin)) time.Duration {
	for {
		l.settle()
		if l.tail == l.entered {
			return math.MaxInt64
		}
		w := l.ring.at(l.tail)
		sent := sentAt(w[0]>>16, now)
		if due := sent + l.timeout; due > now {
			return due
		}
		l.ring.setState(l.tail, over)
		l.counts.InFlight--
		l.counts.Expired++
		if f != nil {
			l.origin = Origin{Dst: l.ring.addr(w), TTL: uint8(w[2]), Sent: sent}
			f(tagOf(w), &l.origin)
		}
	}
}

// settle moves the tail on to the oldest probe in flight.
func (l *Ledger) settle() {
	for l.tail != l.entered && l.ring.state(l.tail) != flying {
		l.tail++
	}
}

// InFlight is how many probes are neither answered nor given up.
func (l *Ledger) InFlight() int { return int(l.counts.InFlight) }

// Recount takes back that m, a stray that Match has just given, was counted. It
// counts for another reason then, or not at all for ReasonNone: where the reply
// goes on to another ledger.
func (l *Ledger) Recount(m *Match, reason Reason) { l.counts.recount(m, reason) }

// Counts gives the numbers so far.
func (l *Ledger) Counts() Counts { return l.counts }

// Close does nothing: probes hold nothing but their slots.
func (l *Ledger) Close() {}

// EachInFlight calls f with the tag of every probe that is neither answered nor
// given up, oldest first. f must not call the ledger.
func (l *Ledger) EachInFlight(f func(tag int)) {
	for seq := l.tail; seq != l.entered; seq++ {
		if l.ring.state(seq) == flying {
			f(tagOf(l.ring.at(seq)))
		}
	}
}
