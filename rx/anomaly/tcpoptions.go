package anomaly

import (
	"bytes"
	"strconv"
)

// TCP option kinds, RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 8684.
const (
	optEnd        = 0
	optNOP        = 1
	optMSS        = 2
	optWScale     = 3
	optSACK       = 4
	optTimestamps = 8
	optMPTCP      = 30
)

// tcpOption is one option: its kind and what follows its length.
type tcpOption struct {
	kind uint8
	data []byte
}

// nextOption gives the first option of b that is not a NOP, and the rest. ok is
// false at the end, or where the list is broken or cut.
func nextOption(b []byte) (o tcpOption, rest []byte, ok bool) {
	for len(b) > 0 && b[0] == optNOP {
		b = b[1:]
	}
	if len(b) < 2 || b[0] == optEnd {
		return tcpOption{}, nil, false
	}
	n := int(b[1])
	if n < 2 || n > len(b) {
		return tcpOption{}, nil, false
	}
	return tcpOption{b[0], b[2:n]}, b[n:], true
}

func findOption(b []byte, kind uint8) (tcpOption, bool) {
	for {
		o, rest, ok := nextOption(b)
		if !ok || o.kind == kind {
			return o, ok
		}
		b = rest
	}
}

// compareTCPOptions compares option lists; whole tells whether all of the
// quoted one came back.
func (r *Report) compareTCPOptions(p, q []byte, whole bool) {
	if !whole {
		n := min(len(p), len(q))
		if bytes.Equal(p[:n], q[:n]) {
			return
		}
	} else if bytes.Equal(p, q) {
		return
	}
	before := r.Flags & (TCPMSS | TCPOptions)
	r.Flags &^= before
	for rest := p; ; {
		o, next, ok := nextOption(rest)
		if !ok {
			break
		}
		rest = next
		quoted, found := findOption(q, o.kind)
		switch {
		case !found && !whole: // may stand in the part that did not come back
		case !found:
			r.add(TCPOptions, optionName(o.kind), present(o), Value{})
		case !bytes.Equal(o.data, quoted.data) && o.kind == optMSS:
			r.add(TCPMSS, optionName(o.kind), present(o), present(quoted))
		case !bytes.Equal(o.data, quoted.data):
			r.add(TCPOptions, optionName(o.kind), present(o), present(quoted))
		}
	}
	for rest := q; ; {
		o, next, ok := nextOption(rest)
		if !ok {
			break
		}
		rest = next
		if _, found := findOption(p, o.kind); !found {
			r.add(TCPOptions, optionName(o.kind), Value{}, present(o))
		}
	}
	if whole && r.Flags&(TCPMSS|TCPOptions) == 0 {
		// The same options in another order or layout.
		r.add(TCPOptions, "tcp-option-order", raw(p), raw(q))
	}
	r.Flags |= before
}

// present is the value of an option that is there: its data, or 1 for one that
// has none.
func present(o tcpOption) Value {
	switch {
	case len(o.data) == 0:
		return number(uint8(1))
	case len(o.data) == 1:
		return number(o.data[0])
	case o.kind == optMSS && len(o.data) == 2:
		return number(uint16(o.data[0])<<8 | uint16(o.data[1]))
	}
	return raw(o.data)
}

func optionName(kind uint8) string {
	switch kind {
	case optMSS:
		return "tcp-mss"
	case optWScale:
		return "tcp-wscale"
	case optSACK:
		return "tcp-sack-permitted"
	case optTimestamps:
		return "tcp-timestamps"
	case optMPTCP:
		return "tcp-mptcp"
	}
	return "tcp-option-" + strconv.Itoa(int(kind))
}
