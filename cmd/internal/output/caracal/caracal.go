// Package caracal writes replies in the CSV of caracal, whose 17 columns
// diamond-miner's ClickHouse tables take as they are.
package caracal

import (
	"io"
	"net/netip"
	"strconv"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Kind is the format.
var Kind = record.Kind{Name: "caracal-csv", Help: "the columns of caracal, one line per reply", New: newWriter}

// Header is the first line. Times are in seconds and RTTs in tenths of a
// millisecond; addresses are in IPv6 form.
const Header = "capture_timestamp,probe_protocol,probe_src_addr,probe_dst_addr,probe_src_port,probe_dst_port," +
	"probe_ttl,quoted_ttl,reply_src_addr,reply_protocol,reply_icmp_type,reply_icmp_code,reply_ttl,reply_size," +
	"reply_mpls_labels,rtt,round\n"

// maxRTT is what the column rtt holds at most: longer ones stay at it.
const maxRTT = 1<<16 - 1

type writer struct {
	w    io.Writer
	run  *record.Run
	line []byte
}

func newWriter(w io.Writer, run *record.Run) (record.Writer, error) {
	_, err := io.WriteString(w, Header)
	return &writer{w: w, run: run}, err
}

func (c *writer) Close(*record.End) error { return nil }

func (c *writer) Reply(r *record.Reply) error {
	v6 := r.Target.Is6()
	c.line = c.line[:0]
	c.number(c.run.Start.Add(r.At).Unix())
	c.number(int64(probeProtocol(c.run.Method, v6)))
	c.address(c.run.Src(r.Target))
	c.address(r.Target)
	c.number(int64(r.SrcPort))
	if c.run.Method.HasPorts() {
		c.number(int64(c.run.DstPort))
	} else {
		c.number(0)
	}
	c.number(int64(r.TTL))
	c.number(int64(r.QuoteTTL))
	c.address(r.From)
	c.number(int64(replyProtocol(r.Kind, v6)))
	c.number(int64(r.Type))
	c.number(int64(r.Code))
	c.number(int64(r.TTLBack))
	c.number(int64(min(r.Size, 1<<16-1)))
	c.labels(r)
	c.number(min(int64(r.RTT/(100*time.Microsecond)), maxRTT))
	c.line = append(c.line, "1\n"...)
	_, err := c.w.Write(c.line)
	return err
}

func (c *writer) number(v int64) { c.line = append(strconv.AppendInt(c.line, v, 10), ',') }

func (c *writer) address(a netip.Addr) {
	c.line = append(netip.AddrFrom16(a.As16()).AppendTo(c.line), ',')
}

// labels is a list of tuples in quotes.
func (c *writer) labels(r *record.Reply) {
	c.line = append(c.line, '"', '[')
	first := true
	for l := range r.Labels {
		if !first {
			c.line = append(c.line, ',')
		}
		first = false
		c.label(l)
	}
	c.line = append(c.line, ']', '"', ',')
}

func (c *writer) label(l frame.LabelEntry) {
	bottom := byte('0')
	if l.Bottom {
		bottom = '1'
	}
	c.line = strconv.AppendUint(append(c.line, '('), uint64(l.Label), 10)
	c.line = append(c.line, ',', '0'+l.Exp, ',', bottom, ',')
	c.line = append(strconv.AppendUint(c.line, uint64(l.TTL), 10), ')')
}

// IP protocol numbers (IANA).
const (
	icmp   = 1
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

func probeProtocol(m frame.Method, v6 bool) uint8 {
	switch {
	case m == frame.TCP:
		return tcp
	case m == frame.UDP:
		return udp
	case v6:
		return icmpv6
	}
	return icmp
}

func replyProtocol(k frame.Kind, v6 bool) uint8 {
	switch k {
	case frame.KindTCP:
		return probeProtocol(frame.TCP, v6)
	case frame.KindUDP:
		return probeProtocol(frame.UDP, v6)
	}
	return probeProtocol(frame.ICMP, v6)
}
