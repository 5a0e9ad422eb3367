package codec

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// reply is one kind of reply to a probe.
type reply struct {
	name   string
	v6     bool
	probe  frame.Probe
	frame  []byte // with Ethernet header
	ledger *rx.Ledger
}

// sent is when all probes here have left.
const sent = time.Second

// keyed gives the probe a token out of a ledger of its own, in which it then is.
func keyed(p *frame.Probe) (*rx.Ledger, error) {
	p.MakeKeyed()
	l, err := rx.NewLedger(rx.LedgerConfig{Key: [8]byte{1, 2, 3}, Timeout: time.Hour, Slots: 16, IPv6: p.IsIPv6()})
	if err != nil {
		return nil, err
	}
	ticket, err := l.Take(0, p, false)
	if err != nil {
		return nil, err
	}
	l.Enter(ticket, 0, p, sent)
	return l, nil
}

// packetOf is the probe as a router would quote all of it.
func packetOf(p *frame.Probe) ([]byte, error) {
	t, err := frame.NewTemplate(frame.Link{}, p)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, t.Len())
	t.Put(packet, p)
	return packet, nil
}

// labels is an RFC 4884 extension structure with one MPLS label stack object of
// one entry (RFC 4950): version 2, label 1000, bottom of stack, TTL 1.
func labels() []byte {
	b := []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0x3e, 0x81, 1}
	binary.BigEndian.PutUint16(b[2:], ^frame.Fold(frame.Sum(b, 0)))
	return b
}

// replies are all kinds, for each family: errors that quote the least that RFC
// 792 asks for, 128 bytes and labels, or the whole probe, and direct answers.
func replies() ([]reply, error) {
	var list []reply
	for _, v6 := range []bool{false, true} {
		head := 28
		if v6 {
			head = 48
		}
		for _, q := range []struct {
			name    string
			bytes   int // of the quote; 0: all
			labeled bool
		}{{fmt.Sprintf("quote of %d bytes", head), head, false}, {"quote of 128 bytes, MPLS", 128, true}, {"whole quote", 0, false}} {
			r, err := quoting(v6, q.name, q.bytes, q.labeled)
			if err != nil {
				return nil, err
			}
			list = append(list, r)
		}
		for _, m := range []frame.Method{frame.UDP, frame.ICMP, frame.TCP} {
			r, err := answering(m, v6)
			if err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// quoted is how long the quoted probes are, in bytes of IP packet.
const quoted = 300

func quoting(v6 bool, name string, n int, labeled bool) (reply, error) {
	p := probe(frame.UDP, v6)
	p.Size = quoted
	ledger, err := keyed(&p)
	if err != nil {
		return reply{}, err
	}
	packet, err := packetOf(&p)
	if err != nil {
		return reply{}, err
	}
	if n == 0 {
		n = len(packet)
	}
	m := frame.ErrorMessage{Link: ethernet, From: router(v6), To: p.Src, TTL: 60, Type: 11, Quote: packet[:n]}
	unit, shift := 4, 16 // RFC 4884 section 4: 32-bit words in ICMP, 64-bit words in ICMPv6
	if v6 {
		m.Type, unit, shift = 3, 8, 24
	}
	if labeled {
		m.Ext, m.Rest = labels(), uint32(n/unit)<<shift
	}
	return reply{name, v6, p, m.Append(nil), ledger}, nil
}

func answering(m frame.Method, v6 bool) (reply, error) {
	p := probe(m, v6)
	ledger, err := keyed(&p)
	if err != nil {
		return reply{}, err
	}
	a := frame.Answer{
		Link: ethernet, From: p.Dst, To: p.Src, TTL: 60, Method: m, SrcPort: p.DstPort, DstPort: p.SrcPort,
		Seq: 1, Ack: p.Seq + 1, Flags: frame.FlagSYN | frame.FlagACK,
	}
	if m == frame.ICMP {
		packet, err := packetOf(&p)
		if err != nil {
			return reply{}, err
		}
		a.SrcPort, a.Seq, a.Payload = p.SrcPort, p.Seq, packet[frame.MinSize(m, v6):]
	}
	name := map[frame.Method]string{frame.UDP: "UDP answer", frame.ICMP: "echo reply", frame.TCP: "SYN-ACK"}[m]
	return reply{name, v6, p, a.Append(nil), ledger}, nil
}

func router(v6 bool) netip.Addr {
	if v6 {
		return netip.MustParseAddr("2001:db8:1::1")
	}
	return netip.MustParseAddr("203.0.113.1")
}
