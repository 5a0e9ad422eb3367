package receive

import (
	"context"
	"errors"
	"time"

	"github.com/hopquote/hopquote/bench/usage"
	"github.com/hopquote/hopquote/bench/wire"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
)

// burst is how many frames the flooder sends at once.
const burst = 32

// idCount is how many numbers there are.
const idCount = 1 << 16

// flooder sends replies from the far host: time exceeded messages that quote
// probes of one flow, numbered by IP identification.
type flooder struct {
	out    *link.Sender
	frames [burst][]byte
	next   uint16
}

// quoting is the reply without its number: the shortest that routers send.
func quoting(e link.Envelope, mac [6]byte) []byte {
	p := frame.Probe{Method: frame.UDP, Src: wire.NearAddr, Dst: destination, Size: 60, TTL: 1, SrcPort: srcPort, DstPort: dstPort}
	t, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		return nil
	}
	probe := make([]byte, t.Len())
	t.Put(probe, &p)
	header := e.Header
	header.Dst = mac
	m := frame.ErrorMessage{Link: header, From: e.Src, To: wire.NearAddr, TTL: 64, Type: 11, Quote: probe[:quoteLen]}
	return m.Append(nil)
}

// quoteLen is what RFC 792 asks for: the IP header and 8 bytes.
const quoteLen = 28

// Where the quoted identification, its header's checksum and the message's own
// checksum are in the frame.
const (
	icmpAt    = 14 + 20
	icmpSumAt = icmpAt + 2
	quoteAt   = icmpAt + 8
	idAt      = quoteAt + 4
	quoteSum  = quoteAt + 10
)

func openFlooder(p *wire.Pair) (*flooder, error) {
	e, err := p.Envelope(wire.Far, wire.NearAddr)
	if err != nil {
		return nil, err
	}
	f := &flooder{}
	err = p.Host(wire.Far).Do(func() error {
		f.out, err = link.OpenSender(e, link.SenderConfig{Bypass: true})
		return err
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if !f.out.Resolve(ctx) {
		return nil, errors.Join(errors.New("the near host does not answer"), f.out.Close())
	}
	for i := range f.frames {
		f.frames[i] = quoting(e, [6]byte{})
	}
	return f, nil
}

// number writes the next identification into a frame; checksums follow (RFC
// 1624). The message's own covers both words, whose changes cancel out.
func (f *flooder) number(b []byte) {
	old := uint16(b[idAt])<<8 | uint16(b[idAt+1])
	sum := uint16(b[quoteSum])<<8 | uint16(b[quoteSum+1])
	sum = frame.UpdateChecksum(sum, old, f.next)
	b[idAt], b[idAt+1] = byte(f.next>>8), byte(f.next)
	b[quoteSum], b[quoteSum+1] = byte(sum>>8), byte(sum)
	f.next++
}

// flood sends for d as fast as it goes, or, at a rate of so many frames a second,
// as many as are due in d. It gives how many left, and how long that took.
func (f *flooder) flood(rate float64, d time.Duration) (sent uint64, took time.Duration, err error) {
	total := uint64(max(rate*d.Seconds(), 1))
	usage.OnThread(floodCPU, func() {
		start := time.Now()
		for rate > 0 && sent < total || rate == 0 && took < d {
			n := uint64(burst)
			if rate > 0 {
				due := min(uint64(rate*took.Seconds())+1, total)
				if due <= sent {
					time.Sleep(time.Duration(float64(sent-due+1) / rate * float64(time.Second)))
					took = time.Since(start)
					continue
				}
				n = min(due-sent, burst)
			}
			var left int
			left, err = f.send(int(n))
			sent += uint64(left)
			if err != nil {
				return
			}
			took = time.Since(start)
		}
	})
	return sent, took, err
}

// send sends n numbered frames, or fewer under back-pressure: their numbers are
// given again.
func (f *flooder) send(n int) (int, error) {
	first := f.next
	for i := range n {
		f.number(f.frames[i])
	}
	left, err := f.out.Send(f.frames[:n])
	f.next = first + uint16(left)
	return left, err
}
