package rx

import (
	"bytes"
	"encoding/binary"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// packets builds probes again as they left, each from the template of its
// shape, without a link header.
type packets struct {
	shapes []shape
	last   int // place in shapes
	buffer []byte
	report anomaly.Report
}

type shape struct {
	probe    frame.Probe
	template *frame.Template // nil: nothing can be built of it
}

// find gives the place of the probe's shape.
func (p *packets) find(probe *frame.Probe) int32 {
	if p.last < len(p.shapes) && p.shapes[p.last].probe.SameShape(probe) {
		return int32(p.last)
	}
	for i := range p.shapes {
		if p.shapes[i].probe.SameShape(probe) {
			p.last = i
			return int32(i)
		}
	}
	// The error is the sender's to report.
	template, _ := frame.NewTemplate(frame.Link{}, probe)
	p.last = len(p.shapes)
	p.shapes = append(p.shapes, shape{*probe, template})
	return int32(p.last)
}

// build gives the packet of a probe with the shape, valid until the next call;
// nil for none.
func (p *packets) build(place int32, probe *frame.Probe) []byte {
	template := p.shapes[place].template
	if template == nil {
		return nil
	}
	if n := template.Len(); len(p.buffer) < n {
		p.buffer = make([]byte, n)
	}
	return p.buffer[:template.Put(p.buffer, probe)]
}

// checksumOf gives the transport checksum of a built packet, and whether it is
// among the first 8 bytes of the transport.
func checksumOf(packet []byte, m frame.Method) (uint16, bool) {
	at := 6
	switch m {
	case frame.UDP, frame.UDPLite, frame.DCCP:
	case frame.ICMP:
		at = 2
	default:
		return 0, false
	}
	var h anomaly.Header
	if h.Parse(packet); len(h.Transport) < at+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(h.Transport[at:]), true
}

// wholeSum gives the checksum of a built TCP segment, and whether it is one.
func wholeSum(packet []byte, m frame.Method) (uint16, bool) {
	const at = 16
	var h anomaly.Header
	if m != frame.TCP {
		return 0, false
	}
	if h.Parse(packet); len(h.Transport) < at+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(h.Transport[at:]), true
}

// compare compares all that came back with the packet, byte by byte.
func (p *packets) compare(packet, quote []byte) anomaly.Flag {
	if sameButTTL(packet, quote) {
		return 0
	}
	p.report.Compare(packet, quote)
	return p.report.Flags
}

// sameButTTL tells whether the quote is the packet with a TTL of 1 and the
// header checksum that goes with it.
func sameButTTL(packet, quote []byte) bool {
	n := min(len(packet), len(quote))
	if n < 28 || packet[0]>>4 != quote[0]>>4 {
		return false
	}
	if packet[0]>>4 == 6 {
		return n >= 48 && quote[7] == 1 && bytes.Equal(packet[:7], quote[:7]) && bytes.Equal(packet[8:n], quote[8:n])
	}
	const ttl, protocol, sum = 8, 9, 10
	sent, quoted := uint16(packet[sum])<<8|uint16(packet[sum+1]), uint16(quote[sum])<<8|uint16(quote[sum+1])
	before, after := uint16(packet[ttl])<<8|uint16(packet[protocol]), uint16(1)<<8|uint16(quote[protocol])
	return quote[ttl] == 1 && bytes.Equal(packet[:ttl], quote[:ttl]) && packet[protocol] == quote[protocol] &&
		equalSum(quoted, frame.UpdateChecksum(sent, before, after)) && bytes.Equal(packet[sum+2:n], quote[sum+2:n])
}
