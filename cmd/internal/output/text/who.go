package text

import (
	"fmt"
	"net/netip"

	"github.com/hopquote/hopquote/scheduler/hops"
)

// responder is what decides whether an answer names its sender again.
type responder struct {
	addr netip.Addr
	ext  string
	ttl  uint8 // of the reply, for Back; else 0
}

// who prints the responder, unless it is that of the nearest answered probe
// before it on the line, or a star in its place. The error is that of Origins.
func (w *Writer) who(s hops.Settled) error {
	addr := s.Answer.From
	if s.Outcome <= hops.Lost || !addr.IsValid() {
		w.buf = append(w.buf, " *"...)
		return nil
	}
	now := responder{addr: addr, ext: w.extension(s.Answer)}
	if w.cfg.Back {
		now.ttl = s.Answer.TTL
	}
	if now == w.last {
		return nil
	}
	w.last = now
	w.name(addr)
	if w.cfg.Origins != nil {
		origins, err := w.cfg.Origins.Lookup(addr)
		if err != nil {
			return err
		}
		w.buf = fmt.Appendf(w.buf, " [%s]", origins)
	}
	w.buf = append(w.buf, now.ext...)
	if back := hops.HopsBack(now.ttl); now.ttl != 0 && back != s.TTL {
		w.buf = fmt.Appendf(w.buf, " '-%d'", back)
	}
	if w.cfg.Verbose {
		w.buf = fmt.Appendf(w.buf, " %d bytes to %s", s.Answer.Size-headerLen(addr), s.Answer.To)
	}
	return nil
}

// name prints the address, with its name before it unless only numbers are
// wanted.
func (w *Writer) name(addr netip.Addr) {
	w.buf = append(w.buf, ' ')
	if w.cfg.Numeric {
		w.buf = addr.AppendTo(w.buf)
		return
	}
	name := addr.String()
	if w.cfg.Names != nil {
		name = w.cfg.Names.Name(addr)
	}
	w.buf = fmt.Appendf(w.buf, "%s (%s)", name, addr)
}

// headerLen is the length of an IP header without options in addr's family.
func headerLen(addr netip.Addr) int {
	if addr.Is6() {
		return 40 // RFC 8200 section 3
	}
	return 20 // RFC 791 section 3.1
}
