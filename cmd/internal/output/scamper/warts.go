package scamper

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Warts is scamper's binary format, as its tools of 2021 and later read it.
var Warts = record.Kind{Name: "warts", Help: "scamper's binary format", New: newWarts}

// Object types and the mark before each of them.
const (
	magic          = 0x1205
	typeList       = 1
	typeCycleStart = 2
	typeCycleStop  = 4
	typeTrace      = 6

	objectHeader = 8
)

// The only list and cycle of a file, by the number that objects name them by.
const (
	listID  = 1
	cycleID = 1
)

type wartsWriter struct {
	w     io.Writer
	run   *record.Run
	buf   []byte
	addrs map[netip.Addr]uint32 // of the object being written, by first place
}

func newWarts(w io.Writer, run *record.Run) (record.Writer, error) {
	x := &wartsWriter{w: w, run: run, addrs: make(map[netip.Addr]uint32)}
	x.begin()
	x.u32(listID)
	x.u32(0) // scamper's own number of the list
	x.text(listName)
	x.buf = append(x.buf, 0) // no flags
	x.end(0, typeList)
	second := len(x.buf)
	x.buf = append(x.buf, make([]byte, objectHeader)...)
	x.u32(cycleID)
	x.u32(listID)
	x.u32(0)
	x.u32(uint32(run.Start.Unix()))
	var p params
	p.add(2, append([]byte(run.Host), 0)...)
	x.params(&p)
	x.end(second, typeCycleStart)
	return x, x.flush()
}

func (x *wartsWriter) Close(end *record.End) error {
	x.begin()
	x.u32(cycleID)
	x.u32(uint32(x.run.Start.Add(end.At).Unix()))
	x.buf = append(x.buf, 0)
	x.end(0, typeCycleStop)
	return x.flush()
}

// begin starts an object at the head of the buffer.
func (x *wartsWriter) begin() {
	x.buf = append(x.buf[:0], make([]byte, objectHeader)...)
	clear(x.addrs)
}

// end fills in the header of the object that starts at from.
func (x *wartsWriter) end(from int, kind uint16) {
	b := x.buf[from:]
	binary.BigEndian.PutUint16(b, magic)
	binary.BigEndian.PutUint16(b[2:], kind)
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-objectHeader))
}

// flush writes whole objects in one call.
func (x *wartsWriter) flush() error {
	_, err := x.w.Write(x.buf)
	return err
}

func (x *wartsWriter) u16(v uint16)  { x.buf = binary.BigEndian.AppendUint16(x.buf, v) }
func (x *wartsWriter) u32(v uint32)  { x.buf = binary.BigEndian.AppendUint32(x.buf, v) }
func (x *wartsWriter) text(s string) { x.buf = append(append(x.buf, s...), 0) }

// address appends an address to b: in full the first time that the object has
// it, by the number of that time later.
func (x *wartsWriter) address(b []byte, a netip.Addr) []byte {
	if i, ok := x.addrs[a]; ok {
		return binary.BigEndian.AppendUint32(append(b, 0), i)
	}
	x.addrs[a] = uint32(len(x.addrs))
	raw, kind := a.AsSlice(), byte(1)
	if a.Is6() {
		kind = 2
	}
	return append(append(b, byte(len(raw)), kind), raw...)
}

// params writes the option block: flags, length, values.
func (x *wartsWriter) params(p *params) { x.buf = p.append(x.buf) }

// params is an option block: values in the order of their numbers, and flags
// that say which are there.
type params struct {
	flags  []byte // seven numbers each
	values []byte
}

func (p *params) reset() { p.flags, p.values = p.flags[:0], p.values[:0] }

// has notes the number, whose value the caller appends to p.values. Numbers go
// up from 1.
func (p *params) has(id int) {
	at := (id - 1) / 7
	for len(p.flags) <= at {
		p.flags = append(p.flags, 0)
	}
	p.flags[at] |= 1 << ((id - 1) % 7)
}

func (p *params) add(id int, value ...byte) {
	p.has(id)
	p.values = append(p.values, value...)
}

func (p *params) add16(id int, v uint16) {
	p.has(id)
	p.values = binary.BigEndian.AppendUint16(p.values, v)
}

func (p *params) add32(id int, v uint32) {
	p.has(id)
	p.values = binary.BigEndian.AppendUint32(p.values, v)
}

// append writes the block. Bit 7 of a byte of flags says that another follows.
func (p *params) append(b []byte) []byte {
	if len(p.flags) == 0 {
		return append(b, 0)
	}
	for i, f := range p.flags {
		if i < len(p.flags)-1 {
			f |= 1 << 7
		}
		b = append(b, f)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.values)))
	return append(b, p.values...)
}

// maxHops is how many hop records a trace can have.
const maxHops = 1<<16 - 1

func (x *wartsWriter) Trace(t *record.Trace) error {
	x.begin()
	var p params
	v := newView(x.run, t)
	x.traceParams(&p, t, &v)
	x.params(&p)
	replies := v.replies[:min(len(v.replies), maxHops)]
	x.u16(uint16(len(replies)))
	for i := range replies {
		p.reset()
		x.hopParams(&p, &replies[i])
		x.params(&p)
	}
	x.u16(0) // no attributes
	x.end(0, typeTrace)
	return x.flush()
}

// Numbers of a trace's values.
const (
	traceList       = 1
	traceCycle      = 2
	traceStart      = 5
	traceStopReason = 6
	traceStopData   = 7
	traceAttempts   = 9
	traceHopLimit   = 10
	traceType       = 11
	traceProbeSize  = 12
	traceSrcPort    = 13
	traceDstPort    = 14
	traceFirstHop   = 15
	traceTOS        = 16
	traceWait       = 17
	traceHopCount   = 19
	traceGapLimit   = 20
	traceProbes     = 23
	traceSrc        = 26
	traceDst        = 27
)

func (x *wartsWriter) traceParams(p *params, t *record.Trace, v *view) {
	p.add32(traceList, listID)
	p.add32(traceCycle, cycleID)
	p.add32(traceStart, uint32(v.start.Unix()))
	p.values = binary.BigEndian.AppendUint32(p.values, uint32(v.start.Nanosecond()/1000))
	p.add(traceStopReason, v.stop)
	p.add(traceStopData, v.stopData)
	p.add(traceAttempts, uint8(min(x.run.Attempts, 255)))
	p.add(traceHopLimit, x.run.Max)
	p.add(traceType, v.kind)
	p.add16(traceProbeSize, uint16(x.run.Size(t.Target)))
	p.add16(traceSrcPort, t.SrcPort) // the identifier of echo requests
	if x.run.Method.HasPorts() {
		p.add16(traceDstPort, x.run.DstPort)
	}
	p.add(traceFirstHop, x.run.First)
	p.add(traceTOS, x.run.TOS)
	p.add(traceWait, uint8(min(seconds(x.run.Timeout), 255)))
	p.add16(traceHopCount, v.hopCount)
	p.add(traceGapLimit, uint8(min(x.run.GapLimit, 255)))
	p.add16(traceProbes, v.probes)
	p.has(traceSrc)
	p.values = x.address(p.values, x.run.Src(t.Target))
	p.has(traceDst)
	p.values = x.address(p.values, t.Target)
}

// Numbers of a hop's values.
const (
	hopProbeTTL  = 2
	hopReplyTTL  = 3
	hopFlags     = 4
	hopProbeID   = 5
	hopRTT       = 6
	hopICMP      = 7
	hopProbeSize = 8
	hopReplySize = 9
	hopReplyID   = 10
	hopReplyTOS  = 11
	hopMTU       = 12
	hopQuoteLen  = 13
	hopQuoteTTL  = 14
	hopTCPFlags  = 15
	hopQuoteTOS  = 16
	hopExt       = 17
	hopAddr      = 18
	hopTx        = 19
)

// Flags of a hop.
const (
	flagRxStamp  = 0x04 // the receive time is the link's, not the program's
	flagReplyTTL = 0x10
	flagTCP      = 0x20
	flagUDP      = 0x40
)

func (x *wartsWriter) hopParams(p *params, r *record.Reply) {
	size := x.run.Size(r.Target)
	p.add(hopProbeTTL, r.TTL)
	p.add(hopReplyTTL, r.TTLBack)
	flags := uint8(flagRxStamp | flagReplyTTL)
	switch r.Kind {
	case frame.KindTCP:
		flags |= flagTCP
	case frame.KindUDP:
		flags |= flagUDP
	}
	p.add(hopFlags, flags)
	p.add(hopProbeID, r.Attempt)
	p.add32(hopRTT, uint32(min(r.RTT.Round(time.Microsecond).Microseconds(), 1<<32-1)))
	icmp := r.Kind.IsError() || r.Kind == frame.KindEchoReply
	if icmp {
		p.add(hopICMP, r.Type, r.Code)
	}
	p.add16(hopProbeSize, uint16(size))
	p.add16(hopReplySize, uint16(r.Size))
	if r.ID != 0 {
		p.add16(hopReplyID, r.ID)
	}
	p.add(hopReplyTOS, r.TOSBack)
	quoted := r.Kind.IsError() && r.Quoted > 0
	if quoted && r.MTU != 0 {
		p.add16(hopMTU, uint16(r.MTU))
	}
	if quoted && r.QuoteLength != size {
		p.add16(hopQuoteLen, uint16(r.QuoteLength))
	}
	if quoted && r.QuoteTTL != 1 {
		p.add(hopQuoteTTL, r.QuoteTTL)
	}
	if r.Kind == frame.KindTCP {
		p.add(hopTCPFlags, r.Flags)
	}
	if quoted {
		p.add(hopQuoteTOS, r.QuoteTOS)
	}
	if ext := objects(r.Ext); len(ext) > 0 {
		p.add16(hopExt, uint16(len(ext)))
		p.values = append(p.values, ext...)
	}
	p.has(hopAddr)
	p.values = x.address(p.values, r.From)
	tx := sent(x.run, r)
	p.add32(hopTx, uint32(tx.Unix()))
	p.values = binary.BigEndian.AppendUint32(p.values, uint32(tx.Nanosecond()/1000))
}

// objects lays extension objects out as warts does: length of the data, class,
// type, data.
func objects(ext []byte) []byte {
	var out []byte
	list := frame.Objects(ext)
	for o, ok := list.Next(); ok; o, ok = list.Next() {
		out = binary.BigEndian.AppendUint16(out, uint16(len(o.Data)))
		out = append(append(out, o.Class, o.Type), o.Data...)
	}
	return out
}
