package rx

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Table finds the probe that a reply belongs to. Probes stay in it, answered
// or expired, until they are forgotten, so that a second or a late reply is
// still known as such.
//
// One goroutine owns a Table. Once it has held as many probes as it ever
// holds at a time, nothing here allocates; Match never does.
type Table struct {
	// Whole compares every quoted byte with what was sent, not only the fields
	// that tell probes apart, and sets Match.Sent. It takes about 50 ns more for
	// an error, and is for traces.
	Whole bool
	// TargetOnly leaves direct answers from other addresses than the probe's
	// destination to nobody, as FilterSpec does where it does not let all ICMP
	// pass.
	TargetOnly bool

	entries []entry // a slab; places are named by index, reused when forgotten
	free    int32   // first free place, chained by entry.next; none if there is none
	byKey   map[frame.Key]int32
	byTag   map[int]int32
	clues   [cluesOf]clues
	guard   guard
	packets packets
	counts  Counts
	inner   frame.Quote // found inside a quote

	// What few probes have is kept out of the entries, which are to be small.
	routes map[int32]frame.Route // by place, of entries that are routed
	lines  map[flow]line         // of Raw probes in flight
	links  []neighbours          // by place, of Raw probes in flight
	raws   int                   // Raw probes among the entries
}

// none is the index that stands for no entry.
const none = -1

// entry is a probe that was sent, as much of it as a reply can tell.
type entry struct {
	key        frame.Key
	src, dst   netip.Addr
	sent       time.Duration
	tag        int
	next, prev int32          // probes of the same key: next is older, prev newer
	older      int32          // the probe that had the tag before
	nextClue   [cluesOf]int32 // probe behind the same head of clues
	shape      int32          // place in packets; none where it was not needed
	seq        uint32
	mark       uint32
	label      uint32
	size       uint16 // whole IP length; 0 for not known
	id         uint16
	sum        uint16 // transport checksum, if summed
	replies    uint16
	secrets    secrets
	tos        uint8
	tcpFlags   uint8
	ttl        uint8
	protocol   uint8
	method     frame.Method
	v6         bool
	df         bool
	routed     bool // has a Route
	unsummed   bool // left with a checksum of zero
	summed     bool // sum is known
	marked     bool // has a Mark
	cut        bool // left in fragments
	shared     bool // another one took an answer that may be this one's
	state      state
}

const maxLabel = 1<<20 - 1 // IPv6 flow label, RFC 8200 section 3

type state uint8

const (
	inFlight state = iota
	answered
	expired
)

// NewTable makes a table with room for hint probes, in flight or not yet
// forgotten; it grows when there are more.
func NewTable(hint int) *Table {
	hint = max(hint, 0)
	return &Table{
		entries: make([]entry, 0, hint),
		free:    none,
		byKey:   make(map[frame.Key]int32, hint),
		byTag:   make(map[int]int32, hint),
		routes:  make(map[int32]frame.Route),
		lines:   make(map[flow]line),
	}
}

// Add enters a probe that left at sent, under a tag of the caller's choice.
// Nothing of p is kept. When the tag is in the table already, this is the
// probe sent anew: the earlier one expires unless it was answered. A Size of 0
// stands for HeaderLen where the method has no other, and else for a length
// that quotes are not compared with.
func (t *Table) Add(tag int, p *frame.Probe, sent time.Duration) { t.add(tag, p, sent, false) }

// AddCut enters a probe that left in fragments, of which quotes tell another
// length.
func (t *Table) AddCut(tag int, p *frame.Probe, sent time.Duration) { t.add(tag, p, sent, true) }

func (t *Table) add(tag int, p *frame.Probe, sent time.Duration, cut bool) {
	older, again := t.byTag[tag]
	if again {
		t.expire(older)
	} else {
		older = none
	}
	i := t.place()
	e := &t.entries[i]
	*e = entryOf(p)
	e.tag, e.sent, e.prev, e.next, e.older, e.shape = tag, sent, none, none, older, none
	if e.cut = cut; cut {
		e.size = 0
	}
	if t.Whole || !e.summed && !e.unsummed && e.method != frame.TCP && e.method != frame.Raw {
		e.shape = t.packets.find(p)
	}
	if !e.summed && !e.unsummed && e.shape != none {
		e.sum, e.summed = checksumOf(t.packets.build(e.shape, p), e.method)
		if e.summed && e.method == frame.DCCP {
			e.secrets.word = 16 // its checksum covers the random sequence number
		}
	}
	t.link(i)
	t.file(i)
	if !p.Route.IsZero() {
		t.routes[i] = p.Route
	}
	if p.Method == frame.Raw {
		t.raws++
		t.queue(i)
	}
	t.byTag[tag] = i
	t.counts.Sent++
	t.counts.InFlight++
}

// entryOf gives what is kept of a probe.
func entryOf(p *frame.Probe) entry {
	size := p.Size
	if size == 0 && (p.Method == frame.TCP || p.Method == frame.DCCP) {
		size = p.HeaderLen()
	}
	e := entry{
		key: p.Key(), src: p.Src, dst: p.Dst, v6: p.IsIPv6(), routed: !p.Route.IsZero(),
		seq: p.Seq, label: p.Label & maxLabel, size: uint16(size), id: p.ID,
		tos: p.TOS, tcpFlags: p.TCP.Flags, ttl: p.TTL, protocol: p.Protocol, method: p.Method, df: p.DF,
		unsummed: p.NoChecksum && p.Method == frame.UDP,
	}
	if p.Method != frame.Raw {
		n, _ := protocolOf(p.Method, e.v6)
		e.protocol = uint8(n)
	}
	hasPayload := p.Method == frame.UDP || p.Method == frame.UDPLite || p.Method == frame.ICMP
	if hasPayload && p.Fixed && p.Sum != 0 {
		e.sum, e.summed = p.Sum, true
		if p.Sum != altZero {
			e.secrets.word = 16
		}
	}
	if hasPayload && p.Payload == frame.PayloadMark {
		e.mark, e.marked = p.Mark, true
	}
	switch {
	case !e.v6:
		e.secrets.identity = 16
	case e.marked:
		e.secrets.identity = markBits
	}
	if p.Method == frame.TCP {
		e.secrets.word = 32
	}
	return e
}

// probe gives the probe of an entry with a shape as it left.
func (t *Table) probe(e *entry) frame.Probe {
	p := t.packets.shapes[e.shape].probe
	p.Dst, p.TTL, p.ID, p.Label, p.Seq, p.Mark = e.dst, e.ttl, e.id, e.label, e.seq, e.mark
	p.SrcPort, p.DstPort = uint16(e.key>>16), uint16(e.key)
	if p.Method == frame.ICMP {
		p.DstPort = 0
	}
	if p.Sum = 0; p.Fixed {
		p.Sum = e.sum
	}
	return p
}

// altZero is the other zero of a checksum, which is asked for to see what becomes
// of it, and never drawn.
const altZero = 0xffff

// Expire gives up waiting for the tag's probe: replies from now on are Late.
// It does nothing to an answered probe or an unknown tag.
func (t *Table) Expire(tag int) {
	if i, ok := t.byTag[tag]; ok {
		t.expire(i)
	}
}

func (t *Table) expire(i int32) {
	if e := &t.entries[i]; e.state == inFlight {
		if e.method == frame.Raw {
			t.leave(i)
		}
		e.state = expired
		t.counts.InFlight--
		t.counts.Expired++
	}
}

// Forget takes the tag's probe, and earlier ones of that tag, out of the
// table: replies from now on are strays. A probe in flight counts as expired.
func (t *Table) Forget(tag int) {
	i, ok := t.byTag[tag]
	if !ok {
		return
	}
	delete(t.byTag, tag)
	for i != none {
		older := t.entries[i].older
		t.expire(i)
		t.unlink(i)
		t.unfile(i)
		if t.entries[i].method == frame.Raw {
			t.raws--
		}
		if t.entries[i].routed {
			delete(t.routes, i)
		}
		t.entries[i] = entry{next: t.free}
		t.free = i
		i = older
	}
}

// InFlight is how many probes are neither answered nor expired.
func (t *Table) InFlight() int { return int(t.counts.InFlight) }

// Counts gives the numbers so far.
func (t *Table) Counts() Counts { return t.counts }

// place finds room for an entry.
func (t *Table) place() int32 {
	if i := t.free; i != none {
		t.free = t.entries[i].next
		return i
	}
	t.entries = append(t.entries, entry{})
	return int32(len(t.entries) - 1)
}

// link puts the entry at the head of its key's chain, the newest first.
func (t *Table) link(i int32) {
	e := &t.entries[i]
	if head, ok := t.byKey[e.key]; ok {
		e.next = head
		t.entries[head].prev = i
	}
	t.byKey[e.key] = i
}

func (t *Table) unlink(i int32) {
	e := &t.entries[i]
	if e.next != none {
		t.entries[e.next].prev = e.prev
	}
	switch {
	case e.prev != none:
		t.entries[e.prev].next = e.next
	case e.next != none:
		t.byKey[e.key] = e.next
	default:
		delete(t.byKey, e.key)
	}
}
