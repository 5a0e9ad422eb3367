package codec

import (
	"fmt"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// Decode is the suite of taking replies apart and finding their probes: by frame
// and rx, with and without the checksum, and by gopacket's fastest decoder; the
// look-up alone in a Go map.
func Decode(d time.Duration) (measure.Suite, error) {
	suite := measure.Suite{
		Name: "decode", Title: "reading one reply, and finding its probe where few are in flight",
		Labels:  []string{"reply", "family", "reader"},
		Figures: append(figures[:len(figures):len(figures)], measure.Figure{Key: "ratio", Title: "ratio", Digits: 1, Ratio: "time_ns"}),
	}
	list, err := replies()
	if err != nil {
		return suite, err
	}
	for _, r := range list {
		suite.Cases = append(suite.Cases, decodeCases(r, d)...)
	}
	return suite, nil
}

// received is when all replies here come.
const received = sent + time.Second

// matcher is a ledger, as surveys have one, or a table, as traces have.
type matcher interface {
	Match(*frame.Reply, time.Duration, *rx.Match)
}

func decodeCases(r reply, d time.Duration) []measure.Case {
	group := r.name + family(r.v6)
	labels := func(reader string) []string { return []string{r.name, family(r.v6), reader} }
	var out frame.Reply
	var match rx.Match
	table := rx.NewTable(1)
	table.Add(0, &r.probe, sent)
	decode := func(offloaded bool) body {
		return func(n int) {
			for range n {
				frame.Decode(r.frame, frame.LinkEthernet, offloaded, &out)
			}
		}
	}
	matching := func(m matcher) body {
		return func(n int) {
			for range n {
				frame.Decode(r.frame, frame.LinkEthernet, false, &out)
				m.Match(&out, received, &match)
			}
		}
	}
	decoded := func() error {
		if out.Kind < frame.KindTimeExceeded {
			return fmt.Errorf("the %s was read as kind %d", r.name, out.Kind)
		}
		return nil
	}
	matched := func() error {
		if !match.Verdict.Attributed() {
			return fmt.Errorf("the %s was %v: %v", r.name, match.Verdict, match.Reason)
		}
		return nil
	}
	peer := newParser(r)
	return []measure.Case{
		newCase(labels("parse and checksum"), group, d, decode(false), decoded),
		newCase(labels("parse alone"), group, d, decode(true), decoded),
		newCase(labels("parse, checksum, ledger"), group, d, matching(r.ledger), matched),
		newCase(labels("parse, checksum, table"), group, d, matching(table), matched),
		newCase(labels("gopacket DecodingLayerParser"), group, d, peer.run, peer.check),
	}
}

// parser reads a reply by gopacket: the packet itself and, of an error, the
// quote in a second pass. Checksums are not verified.
type parser struct {
	reply   reply
	outer   *gopacket.DecodingLayerParser
	inner   *gopacket.DecodingLayerParser // nil for answers, which quote nothing
	icmp4   layers.ICMPv4
	icmp6   layers.ICMPv6
	udp     layers.UDP
	tcp     layers.TCP
	decoded []gopacket.LayerType
	found   int
	err     error
}

func newParser(r reply) *parser {
	p := &parser{reply: r}
	eth := &layers.Ethernet{}
	p.outer = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, eth, &layers.IPv4{}, &layers.IPv6{}, &p.icmp4, &p.icmp6, &p.udp, &p.tcp)
	p.outer.IgnoreUnsupported = true
	var out frame.Reply
	frame.Decode(r.frame, frame.LinkEthernet, true, &out)
	if out.Kind.IsError() {
		first := layers.LayerTypeIPv4
		if r.v6 {
			first = layers.LayerTypeIPv6
		}
		p.inner = gopacket.NewDecodingLayerParser(first, &layers.IPv4{}, &layers.IPv6{}, &layers.UDP{}, &layers.TCP{})
		p.inner.IgnoreUnsupported = true
	}
	return p
}

// quote is the quoted packet. Four bytes of the message stand before it, which
// gopacket counts to the header in ICMP and to the payload in ICMPv6.
func (p *parser) quote() []byte {
	if p.reply.v6 {
		return p.icmp6.LayerPayload()[4:]
	}
	return p.icmp4.LayerPayload()
}

func (p *parser) run(n int) {
	for range n {
		p.err = p.outer.DecodeLayers(p.reply.frame, &p.decoded)
		p.found = len(p.decoded)
		if p.err == nil && p.inner != nil {
			p.err = p.inner.DecodeLayers(p.quote(), &p.decoded)
			p.found += len(p.decoded)
		}
	}
}

// check wants Ethernet, IP and transport, and of an error IP and transport of
// the quote.
func (p *parser) check() error {
	want := 3
	if p.inner != nil {
		want = 5
	}
	if p.found != want {
		return fmt.Errorf("gopacket found %d headers of %d in the %s: %v", p.found, want, p.reply.name, p.err)
	}
	return nil
}
