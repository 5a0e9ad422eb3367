package simnet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// edit is a change to one field of a quote.
type edit struct {
	field string
	at    int // field "byte" only
	op    editOp
	value uint64
	addr  netip.Addr // fields src and dst
}

type editOp uint8

const (
	editSet editOp = iota
	editAdd
	editSubtract
	editSwap    // the two bytes of a field of 16 bits
	editPartial // field checksum only: what transmit offload has yet to finish
)

// bits places a field: so many bits from bit at of its header on.
type bits struct{ at, count int }

// The fields of IP headers, RFC 791 section 3.1 and RFC 8200 section 3.
var fields4 = map[string]bits{
	"version": {0, 4}, "ihl": {4, 4}, "tos": {8, 8}, "len": {16, 16}, "id": {32, 16}, "flags": {48, 3},
	"offset": {51, 13}, "ttl": {64, 8}, "proto": {72, 8}, "ipsum": {80, 16}, "src": {96, 32}, "dst": {128, 32},
}

var fields6 = map[string]bits{
	"version": {0, 4}, "tos": {4, 8}, "label": {12, 20}, "len": {32, 16}, "proto": {48, 8}, "ttl": {56, 8},
	"src": {64, 128}, "dst": {192, 128},
}

// The fields of transport headers: RFC 792, 9293, 768, 3828, 4340.
var transportFields = map[int]map[string]bits{
	protoICMP: {"type": {0, 8}, "code": {8, 8}, "checksum": {16, 16}, "ident": {32, 16}, "seq": {48, 16}},
	protoTCP: {"sport": {0, 16}, "dport": {16, 16}, "seq": {32, 32}, "ack": {64, 32}, "tcpflags": {104, 8},
		"window": {112, 16}, "checksum": {128, 16}},
	protoUDP:     {"sport": {0, 16}, "dport": {16, 16}, "udplen": {32, 16}, "checksum": {48, 16}},
	protoUDPLite: {"sport": {0, 16}, "dport": {16, 16}, "udplen": {32, 16}, "checksum": {48, 16}},
	protoDCCP:    {"sport": {0, 16}, "dport": {16, 16}, "checksum": {48, 16}},
}

const fieldNames = "version, ihl, tos, label, len, id, flags, offset, ttl, proto, ipsum, src, dst, type, code, ident, seq, " +
	"ack, sport, dport, udplen, tcpflags, window, checksum, byteN"

// parseEdit parses "FIELD=VALUE".
func parseEdit(w string) (edit, error) {
	name, value, ok := strings.Cut(w, "=")
	if !ok {
		return edit{}, fmt.Errorf("edit %q: must be FIELD=VALUE", w)
	}
	e := edit{field: name}
	if at, isByte := strings.CutPrefix(name, "byte"); isByte {
		n, err := strconv.ParseUint(at, 10, 16)
		if err != nil {
			return e, fmt.Errorf("edit %q: byte must have a number from 0 to 65535", w)
		}
		e.field, e.at = "byte", int(n)
	} else if !isField(name) {
		return e, fmt.Errorf("edit field %q: must be one of %s", name, fieldNames)
	}
	if name == "src" || name == "dst" {
		var err error
		e.addr, err = parseAddr(value, "edit "+name)
		return e, err
	}
	switch {
	case value == "swap":
		e.op = editSwap
		return e, nil
	case value == "partial" && name == "checksum":
		e.op = editPartial
		return e, nil
	case strings.HasPrefix(value, "+"):
		e.op, value = editAdd, value[1:]
	case strings.HasPrefix(value, "-"):
		e.op, value = editSubtract, value[1:]
	}
	n, err := parseNumber(value, "edit "+name, 0, 1<<32-1)
	e.value = n
	return e, err
}

func isField(name string) bool {
	if _, ok := fields4[name]; ok {
		return true
	}
	if _, ok := fields6[name]; ok {
		return true
	}
	for _, fields := range transportFields {
		if _, ok := fields[name]; ok {
			return true
		}
	}
	return false
}

// apply changes quote q of packet p, which may be cut anywhere; a field that
// is not all there, or that the packet has not, stays. The IP header checksum
// is made right again unless it is a field that was changed.
func apply(edits []edit, q []byte, p *ipPacket) {
	ownSum := false
	for _, e := range edits {
		ownSum = ownSum || e.field == "ipsum"
		if e.field != "ipsum" {
			e.apply(q, p)
		}
	}
	fixHeaderChecksum(q, p)
	if ownSum {
		for _, e := range edits {
			if e.field == "ipsum" {
				e.apply(q, p)
			}
		}
	}
}

func (e *edit) apply(q []byte, p *ipPacket) {
	at, ok := e.place(p)
	if !ok || at.at+at.count > 8*len(q) {
		return
	}
	if e.addr.IsValid() {
		if e.addr.Is6() == p.v6 {
			copy(q[at.at/8:], e.addr.AsSlice())
		}
		return
	}
	value := e.value
	old := getBits(q, at)
	switch e.op {
	case editAdd:
		value = old + value
	case editSubtract:
		value = old - value
	case editSwap:
		if at.count != 16 {
			return
		}
		value = old>>8 | old&0xff<<8
	case editPartial:
		value = uint64(frame.Fold(pseudoSum(p)))
	}
	setBits(q, at, value)
}

// place finds the field in the packet.
func (e *edit) place(p *ipPacket) (bits, bool) {
	if e.field == "byte" {
		return bits{8 * e.at, 8}, true
	}
	fields := fields4
	if p.v6 {
		fields = fields6
	}
	if at, ok := fields[e.field]; ok {
		return at, true
	}
	at, ok := transportFields[p.protocol][e.field]
	at.at += 8 * (len(p.ip) - len(p.transport))
	return at, ok && !p.isLater
}

func getBits(b []byte, at bits) uint64 {
	var v uint64
	for i := range at.count {
		bit := at.at + i
		v = v<<1 | uint64(b[bit/8]>>(7-bit%8)&1)
	}
	return v
}

func setBits(b []byte, at bits, v uint64) {
	for i := range at.count {
		bit := at.at + at.count - 1 - i
		mask := byte(1) << (7 - bit%8)
		b[bit/8] &^= mask
		if v>>i&1 != 0 {
			b[bit/8] |= mask
		}
	}
}

// fixHeaderChecksum writes the IPv4 header checksum of a quote that holds the
// whole header.
func fixHeaderChecksum(q []byte, p *ipPacket) {
	header := len(p.ip) - len(p.transport)
	if p.v6 || len(q) < header {
		return
	}
	q[10], q[11] = 0, 0
	binary.BigEndian.PutUint16(q[10:], ^frame.Fold(frame.Sum(q[:header], 0)))
}
