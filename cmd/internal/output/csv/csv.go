// Package csv writes one line of comma-separated values for each reply.
package csv

import (
	"io"
	"net/netip"
	"strconv"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Kind is the format. Its columns are those of Header; fields that a reply does
// not have are empty.
var Kind = record.Kind{Name: "csv", Help: "one line per reply, with a header", New: newWriter}

// Header is the first line.
const Header = "target,flow,ttl,attempt,source_port,responder,received_unix_us,rtt_us,verdict,rewritten,kind," +
	"icmp_type,icmp_code,tcp_flags,reply_ttl,reply_tos,reply_ip_id,reply_bytes,quoted_bytes,quoted_ttl,quoted_tos," +
	"next_hop_mtu,mpls\n"

type writer struct {
	w     io.Writer
	line  []byte
	epoch int64 // microseconds
}

func newWriter(w io.Writer, run *record.Run) (record.Writer, error) {
	_, err := io.WriteString(w, Header)
	return &writer{w: w, epoch: run.Start.UnixMicro()}, err
}

func (c *writer) Close(*record.End) error { return nil }

func (c *writer) Reply(r *record.Reply) error {
	c.line = c.line[:0]
	c.address(r.Target)
	c.number(int64(r.Flow))
	c.number(int64(r.TTL))
	c.number(int64(r.Attempt))
	c.number(int64(r.SrcPort))
	c.address(r.From)
	c.number(c.epoch + r.At.Microseconds())
	c.line = strconv.AppendFloat(c.line, float64(r.RTT)/1e3, 'f', 3, 64)
	c.line = append(c.line, ',')
	c.text(r.Verdict.String())
	c.rewritten(r)
	c.text(record.KindName(r.Kind))
	icmp := r.Kind.IsError() || r.Kind == frame.KindEchoReply
	c.optional(icmp, int64(r.Type))
	c.optional(icmp, int64(r.Code))
	c.optional(r.Kind == frame.KindTCP, int64(r.Flags))
	c.number(int64(r.TTLBack))
	c.number(int64(r.TOSBack))
	c.optional(r.From.Is4(), int64(r.ID))
	c.number(int64(r.Size))
	quoted := r.Kind.IsError() && r.Quoted > 0
	c.optional(quoted, int64(r.Quoted))
	c.optional(quoted, int64(r.QuoteTTL))
	c.optional(quoted, int64(r.QuoteTOS))
	c.optional(r.Kind == frame.KindTooBig, int64(r.MTU))
	c.mpls(r)
	c.line = append(c.line, '\n')
	_, err := c.w.Write(c.line)
	return err
}

func (c *writer) address(a netip.Addr) { c.line = append(a.AppendTo(c.line), ',') }
func (c *writer) number(v int64)       { c.line = append(strconv.AppendInt(c.line, v, 10), ',') }
func (c *writer) text(s string)        { c.line = append(append(c.line, s...), ',') }

func (c *writer) optional(there bool, v int64) {
	if there {
		c.line = strconv.AppendInt(c.line, v, 10)
	}
	c.line = append(c.line, ',')
}

// rewritten lists fields with spaces between, since commas are taken.
func (c *writer) rewritten(r *record.Reply) {
	for i, name := range r.Rewritten() {
		if i > 0 {
			c.line = append(c.line, ' ')
		}
		c.line = append(c.line, name...)
	}
	c.line = append(c.line, ',')
}

// mpls lists label stacks as label:exp:bottom:ttl with spaces between.
func (c *writer) mpls(r *record.Reply) {
	first := true
	for l := range r.Labels {
		if !first {
			c.line = append(c.line, ' ')
		}
		first = false
		bottom := byte('0')
		if l.Bottom {
			bottom = '1'
		}
		c.line = strconv.AppendUint(c.line, uint64(l.Label), 10)
		c.line = append(c.line, ':', '0'+l.Exp, ':', bottom, ':')
		c.line = strconv.AppendUint(c.line, uint64(l.TTL), 10)
	}
}
