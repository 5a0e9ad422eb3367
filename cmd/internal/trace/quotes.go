package trace

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/quotes"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// quoteLog keeps every probe as it left and what its answer brought back of it.
type quoteLog struct {
	header  int      // length of the link header
	left    [][]byte // probes that left and whose tags are not told yet, in order
	probes  map[int][]byte
	brought map[int]brought
}

// brought is what came back of a probe, and by which answer.
type brought struct {
	at        time.Duration
	from      netip.Addr
	typ, code uint8
	quote     []byte
}

func newQuoteLog(link frame.LinkType) *quoteLog {
	return &quoteLog{header: link.HeaderLen(), probes: make(map[int][]byte), brought: make(map[int]brought)}
}

// sent notes a frame that left; of the fragments of a probe the first counts.
func (l *quoteLog) sent(f []byte) {
	if ip := f[min(l.header, len(f)):]; !isLaterFragment(ip) {
		l.left = append(l.left, bytes.Clone(ip))
	}
}

// isLaterFragment tells a fragment that is not the first, RFC 791 section 3.1
// and RFC 8200 section 4.5.
func isLaterFragment(ip []byte) bool {
	const fragmentHeader = 44
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4:
		return ip[6]&0x1f != 0 || ip[7] != 0
	case len(ip) >= 44 && ip[0]>>4 == 6 && ip[6] == fragmentHeader:
		return ip[42] != 0 || ip[43]&^7 != 0
	}
	return false
}

// name tells whose the oldest frame is that left without a tag.
func (l *quoteLog) name(tag int) {
	delete(l.brought, tag)
	if len(l.left) == 0 {
		delete(l.probes, tag) // it never left
		return
	}
	l.probes[tag] = l.left[0]
	l.left = l.left[1:]
}

// matched notes what an answer brought back.
func (l *quoteLog) matched(m *rx.Match) {
	if m.Verdict == rx.Duplicate || m.Verdict == rx.Late {
		return
	}
	b := brought{at: m.At, from: m.Reply.From, typ: m.Reply.Type, code: m.Reply.Code}
	if m.Reply.Kind.IsError() {
		b.quote = bytes.Clone(m.Reply.Body[:min(m.Reply.Quote.Bytes, len(m.Reply.Body))])
	}
	l.brought[m.Tag] = b
}

// find gives the tag of the probe that an answer belongs to: the one in whose
// place it is printed, unless it was moved there.
func (l *quoteLog) find(place int, a *hops.Answer) (tag int, ok bool) {
	is := func(tag int) bool {
		b, ok := l.brought[tag]
		return ok && b.at == a.At && b.from == a.From && b.typ == a.Type && b.code == a.Code
	}
	if is(place) {
		return place, true
	}
	for tag := range l.brought {
		if is(tag) {
			return tag, true
		}
	}
	return 0, false
}

// showQuotes begins the log of --quotes, and lets the lines follow the hops
// where text is printed; nil where there are none.
func (r *run) showQuotes(n *network, print *printer, cfg *hops.Config) *quoteLines {
	if !r.opts.Quotes {
		return nil
	}
	r.quotes = newQuoteLog(n.envelope.Header.Type)
	if r.opts.Method == "tcp" && !r.opts.NoChecksum {
		z := &zeroSum{n.sender, r.quotes.header}
		n.sender, n.amend = z, z.amend
	}
	if print == nil {
		return nil
	}
	q := &quoteLines{log: r.quotes, target: r.opts.Addr.WithZone(""), queries: cfg.Queries, print: print}
	settle := cfg.Settle
	cfg.Settle = func(s hops.Settled) {
		settle(s)
		q.settle(s)
	}
	return q
}

// driven is the strategy as the engine gets it.
func (r *run) driven() scheduler.Strategy {
	if r.quotes == nil {
		return r.hops
	}
	return &tagged{r.hops, r.quotes}
}

// tagged tells the log which probe it is that left.
type tagged struct {
	strategy
	log *quoteLog
}

func (t *tagged) Sent(tag int, p *frame.Probe, at time.Duration) {
	t.log.name(tag)
	t.strategy.Sent(tag, p, at)
}

// quoteLines makes the lines of --quotes as the hops settle.
type quoteLines struct {
	log     *quoteLog
	target  netip.Addr
	queries int
	print   *printer
	path    onpath.Path
	ttl     int // of items
	items   []quotes.Item
}

// settle takes a probe that was settled, and prints the hop's lines behind its
// last one.
func (q *quoteLines) settle(s hops.Settled) {
	if s.TTL != q.ttl {
		q.flush()
		q.ttl = s.TTL
	}
	if tag, ok := q.log.find((s.TTL-1)*q.queries+s.Query, &s.Answer); ok && s.Outcome > hops.Lost {
		a := pathAnswer(q.log, tag, &s.Answer, s.Outcome, s.TTL, q.target)
		q.items = append(q.items, quotes.Item{Answer: s.Answer, Sent: len(a.Probe), Seen: q.path.Add(&a)})
	}
	if s.Query == q.queries-1 {
		q.flush()
	}
}

func (q *quoteLines) flush() {
	if lines := quotes.Hop(q.items); lines != nil {
		q.print.queue.Push(printed{aside: lines})
	}
	q.items = q.items[:0]
}

// end prints the summary.
func (q *quoteLines) end() {
	q.flush()
	if q.ttl != 0 {
		q.print.queue.Push(printed{aside: quotes.Summary(q.path.Findings(), q.path.Quoting())})
	}
}

func pathAnswer(l *quoteLog, tag int, a *hops.Answer, o hops.Outcome, ttl int, target netip.Addr) onpath.Answer {
	back := 0
	if a.TTL != 0 {
		back = hops.HopsBack(a.TTL)
	}
	return onpath.Answer{
		TTL: ttl, From: a.From, Target: target, Back: back, Expired: o == hops.Hop,
		Probe: l.probes[tag], Quote: l.brought[tag].quote,
	}
}

// quoteChanges tells what changed in every probe's quote, by tag, and where on
// the path, as the document has it.
func (r *run) quoteChanges(records []hops.Record) (map[int][]onpath.Change, []onpath.Finding) {
	end := hops.MaxTTL // the last hop of the path
	for i := range records {
		if rec := &records[i]; rec.Outcome.Final() {
			end = min(end, placeOf(rec))
		}
	}
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b hops.Record) int { return placeOf(&a) - placeOf(&b) })
	changes := make(map[int][]onpath.Change)
	var p onpath.Path
	for i := range sorted {
		rec := &sorted[i]
		if rec.Outcome <= hops.Lost || !rec.Answer.From.IsValid() {
			continue
		}
		a := pathAnswer(r.quotes, rec.Tag, &rec.Answer, rec.Outcome, placeOf(rec), r.opts.Addr.WithZone(""))
		a.Beyond = placeOf(rec) > end
		changes[rec.Tag] = p.Add(&a).Changes
	}
	return changes, p.Findings()
}

// placeOf is the hop at which the text shows a probe's answer.
func placeOf(r *hops.Record) int {
	if r.ShownTTL != 0 {
		return r.ShownTTL
	}
	return r.TTL
}
