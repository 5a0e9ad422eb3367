package text

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"github.com/hopquote/hopquote/scheduler/hops"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
)

// Names gives an address its host name, or the address's own text where it
// has none. It may take its time: the line waits for it.
type Names interface {
	Name(netip.Addr) string
}

// Origins tells who announces an address. It may take its time as Names may;
// an error ends the output.
type Origins interface {
	Lookup(netip.Addr) (asn.Result, error)
}

// Config says how much is printed of a responder.
type Config struct {
	Numeric    bool    // addresses only
	TCPInfo    bool    // the flags of a TCP answer, as <syn,ack>
	Extensions bool    // ICMP extensions, as <MPLS:L=100,E=0,S=1,T=3>
	Back       bool    // hops on the way back where they are not the TTL, as '-5'
	Verbose    bool    // the length and destination of the answers
	Names      Names   // host names; nil prints the address in their place
	Origins    Origins // origin ASes, as [AS64500]; nil for none
}

// Writer prints one trace. Each call goes out in one write, so that whoever
// reads along sees every probe as soon as it is settled.
//
// The first error of the underlying writer or of Origins is returned by the
// call that met it and by every call after it; nothing is written any more.
// Where Origins failed, the output ends behind the address.
type Writer struct {
	w     io.Writer
	cfg   Config
	buf   []byte
	err   error
	ttl   int       // of the line under way; 0 before the first
	last  responder // of the line's newest probe that was answered
	aside bool      // whole lines came last: a new line is begun already
}

// New makes a Writer that prints to w.
func New(w io.Writer, cfg Config) *Writer { return &Writer{w: w, cfg: cfg} }

// Header prints the first line, without its newline. The name is the word
// that the user typed, size the whole IP length of a probe in bytes.
func (w *Writer) Header(name string, addr netip.Addr, maxHops, size int) error {
	w.buf = fmt.Appendf(w.buf[:0], "traceroute to %s (%s), %d hops max, %d byte packets", name, addr, maxHops, size)
	return w.flush()
}

// Probe prints one probe. Probes come in print order: by TTL, then by query.
// A TTL other than the last one begins a new line.
func (w *Writer) Probe(s hops.Settled) error {
	if w.err != nil {
		return w.err
	}
	w.buf = w.buf[:0]
	if s.TTL != w.ttl {
		w.ttl, w.last = s.TTL, responder{}
		w.buf = fmt.Appendf(w.newline(), "%2d ", s.TTL)
	}
	w.aside = false
	if err := w.who(s); err != nil {
		if w.flush() == nil {
			w.err = err
		}
		return w.err
	}
	if s.Outcome > hops.Lost {
		w.buf = appendRTT(w.buf, s.Answer.RTT)
	}
	note := Note(s.Outcome, s.Answer)
	if note == "" {
		note = SizeNote(s.Shrunk, s.Probed)
	}
	if note != "" {
		w.buf = append(append(w.buf, ' '), note...)
	}
	return w.flush()
}

// End prints the last line's newline.
func (w *Writer) End() error {
	w.buf = w.buf[:0]
	w.newline()
	return w.flush()
}

// Aside prints whole lines of something else; the trace goes on on a new line.
func (w *Writer) Aside(lines []byte) error {
	w.buf = w.buf[:0]
	w.buf = append(w.newline(), lines...)
	w.aside = true
	return w.flush()
}

// newline begins a new line, unless that is done.
func (w *Writer) newline() []byte {
	if !w.aside {
		w.buf = append(w.buf, '\n')
	}
	w.aside = false
	return w.buf
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

// appendRTT prints milliseconds with three decimals, rounded to the nearest
// microsecond, or nothing where there is no time to tell.
func appendRTT(b []byte, rtt time.Duration) []byte {
	if rtt <= 0 {
		return b
	}
	us := int64(rtt / time.Microsecond)
	if rtt%time.Microsecond >= 500 {
		us++
	}
	b = append(b, "  "...)
	b = strconv.AppendInt(b, us/1000, 10)
	b = append(b, '.')
	frac := us % 1000
	b = append(b, byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	return append(b, " ms"...)
}
