package text

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// Names gives an address its host name, or the address's own text where it
// has none. It may take its time: the line waits for it.
type Names interface {
	Name(netip.Addr) string
}

// Config says how much is printed of a responder.
type Config struct {
	Numeric bool  // addresses only
	TCPInfo bool  // the flags of a TCP answer, as <syn,ack>
	Verbose bool  // the length and destination of the answers
	Names   Names // host names; nil prints the address in their place
}

// Writer prints one trace. Each call goes out in one write, so that whoever
// reads along sees every probe as soon as it is settled.
//
// The first error of the underlying writer is returned by the call that met
// it and by every call after it; nothing is written any more.
type Writer struct {
	w     io.Writer
	cfg   Config
	buf   []byte
	err   error
	ttl   int       // of the line under way; 0 before the first
	last  responder // of the line's newest probe that was answered
	aside bool      // whole lines came last: a new line is begun already
}

// responder is what decides whether an answer names its sender again.
type responder struct {
	addr netip.Addr
	ext  string
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
	w.who(s)
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

// who prints the responder, unless it is that of the nearest answered probe
// before it on the line, or a star in its place.
func (w *Writer) who(s hops.Settled) {
	addr := s.Answer.From
	if s.Outcome <= hops.Lost || !addr.IsValid() {
		w.buf = append(w.buf, " *"...)
		return
	}
	now := responder{addr, w.extension(s.Answer)}
	if now == w.last {
		return
	}
	w.last = now
	w.buf = append(w.buf, ' ')
	if w.cfg.Numeric {
		w.buf = addr.AppendTo(w.buf)
	} else {
		name := addr.String()
		if w.cfg.Names != nil {
			name = w.cfg.Names.Name(addr)
		}
		w.buf = fmt.Appendf(w.buf, "%s (%s)", name, addr)
	}
	w.buf = append(w.buf, now.ext...)
	if w.cfg.Verbose {
		w.buf = fmt.Appendf(w.buf, " %d bytes to %s", s.Answer.Size-headerLen(addr), s.Answer.To)
	}
}

// headerLen is the length of an IP header without options in addr's family.
func headerLen(addr netip.Addr) int {
	if addr.Is6() {
		return 40 // RFC 8200 section 3
	}
	return 20 // RFC 791 section 3.1
}

// extension gives what the answer tells in angle brackets, with the blank
// before it, or "".
func (w *Writer) extension(a hops.Answer) string {
	if w.cfg.TCPInfo && a.Kind == frame.KindTCP {
		return " <" + strings.Join(Flags(a.Flags), ",") + ">"
	}
	return ""
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
