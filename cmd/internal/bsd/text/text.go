// Package text writes a trace as BSD traceroute prints it.
//
// Where its descendants differ it follows FreeBSD's: each responder but the
// first of a hop begins a line of its own, and dumped words are in network
// order.
package text

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/dump"
	"github.com/hopquote/hopquote/cmd/internal/output/verdicts"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/lbl"
)

// Config says how much is printed.
type Config struct {
	Numeric bool // addresses only
	Verbose bool // the length and destination of the replies
	Summary bool // the share of lost probes, per hop
	// Name gives a host name, or the address's text where it has none. It may
	// take its time: the line waits for it.
	Name func(netip.Addr) string
	// ASN gives what stands between brackets before an address, such as
	// AS65000; nil for none.
	ASN func(netip.Addr) string
}

// Writer prints one trace. Each call goes out in one write. The first error of
// the underlying writer is returned by every call from then on.
type Writer struct {
	w    io.Writer
	cfg  Config
	buf  []byte
	err  error
	last netip.Addr // printed last in this hop
	lost int        // probes of this hop
}

// New makes a Writer that prints to w.
func New(w io.Writer, cfg Config) *Writer { return &Writer{w: w, cfg: cfg} }

// Header gives the line that goes to standard error before everything else.
// from is the source as the user named it, empty for none.
func Header(name string, addr netip.Addr, from string, maxHops, size int) string {
	if from != "" {
		from = " from " + from
	}
	return fmt.Sprintf("traceroute to %s (%s)%s, %d hops max, %d byte packets\n", name, addr, from, maxHops, size)
}

// Begin begins a hop's line.
func (w *Writer) Begin(ttl int) error {
	w.last, w.lost = netip.Addr{}, 0
	return w.print("%2d ", ttl)
}

// Sending shows a packet before it leaves.
func (w *Writer) Sending(packet []byte) error {
	w.buf = dump.Sent(w.buf[:0], packet)
	return w.flush()
}

// Unsent says that a packet of so many bytes to a host could not be sent.
func (w *Writer) Unsent(host string, size int) error {
	return w.print("traceroute: wrote %s %d chars, ret=-1\n", host, size)
}

// Other shows an ICMP message that answers no probe.
func (w *Writer) Other(m *dump.Message) error {
	w.buf = m.Other(w.buf[:0])
	return w.flush()
}

// Received prints what became of the packets that were received, behind the
// last hop.
func (w *Writer) Received(c *rx.Counts) error {
	w.buf = append(w.buf[:0], verdicts.Line(c)...)
	return w.flush()
}

// Detail is what a reply is shown with besides its answer.
type Detail struct {
	Length int // bytes of it behind its IP header
	// Sent and Quote are what left and what came back of it, from the IP
	// header on; shown where Diff is set and there is a quote.
	Sent, Quote []byte
	Diff        bool
}

// Probe prints one settled probe.
func (w *Writer) Probe(s lbl.Settled, d *Detail) error {
	w.buf = w.buf[:0]
	if s.Outcome == lbl.Lost {
		w.lost++
		w.buf = append(w.buf, " *"...)
	} else {
		w.answer(s, d)
	}
	if s.Last {
		if w.cfg.Summary {
			w.buf = fmt.Appendf(w.buf, " (%d%% loss)", w.lost*100/(s.Query+1))
		}
		w.buf = append(w.buf, '\n')
	}
	return w.flush()
}

func (w *Writer) answer(s lbl.Settled, d *Detail) {
	if from := s.Answer.From; from != w.last {
		if w.last.IsValid() {
			w.buf = append(w.buf, "\n   "...)
		}
		w.who(from)
		if w.cfg.Verbose {
			w.buf = fmt.Appendf(w.buf, " %d bytes to %s", d.Length, s.Answer.To)
		}
		w.last = from
	}
	us := (s.Answer.RTT + 500*time.Nanosecond) / time.Microsecond
	w.buf = fmt.Appendf(w.buf, "  %d.%03d ms", us/1000, us%1000)
	if d.Diff && len(d.Quote) > 0 {
		w.buf = appendDiff(w.buf, d.Sent, d.Quote)
	}
	w.buf = append(w.buf, Note(s.Outcome, &s.Answer)...)
}

// who prints an address, its name before it and its AS number before both.
func (w *Writer) who(a netip.Addr) {
	if w.cfg.ASN != nil {
		w.buf = fmt.Appendf(w.buf, " [%s]", w.cfg.ASN(a))
	}
	if w.cfg.Numeric || w.cfg.Name == nil {
		w.buf = fmt.Appendf(w.buf, " %s", a)
		return
	}
	w.buf = fmt.Appendf(w.buf, " %s (%s)", w.cfg.Name(a), a)
}

func (w *Writer) print(format string, args ...any) error {
	w.buf = fmt.Appendf(w.buf[:0], format, args...)
	return w.flush()
}

func (w *Writer) flush() error {
	if w.err != nil {
		return w.err
	}
	if _, err := w.w.Write(w.buf); err != nil {
		w.err = fmt.Errorf("write output: %w", err)
	}
	return w.err
}
