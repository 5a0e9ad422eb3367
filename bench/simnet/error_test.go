package simnet

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

func TestErrorBytes(t *testing.T) {
	for _, c := range []struct {
		reply      string // without its from
		probe      frame.Probe
		from       string
		typ, code  uint8
		rest       uint32
		ttl, tos   uint8 // of the reply
		quotedTTL  uint8
		quoteBytes int // 0: all
	}{
		{reply: "te", probe: udp4(3), from: "10.1.1.1", typ: 11},
		{reply: "te 1 ttl 250 tos 0xc0", probe: udp4(3), from: "10.1.1.1", typ: 11, code: 1, ttl: 250, tos: 0xc0},
		{reply: "unreach 13", probe: tcp4(3, frame.FlagSYN), from: "10.1.1.1", typ: 3, code: 13},
		{reply: "toobig 1400", probe: icmp4(3), from: "10.1.1.1", typ: 3, code: 4, rest: 1400},
		{reply: "param 0 rest 0x14000000", probe: udp4(3), from: "10.1.1.1", typ: 12, rest: 0x14000000},
		{reply: "redirect 1 rest 0x0a010109", probe: udp4(3), from: "10.1.1.1", typ: 5, code: 1, rest: 0x0a010109},
		{reply: "quench", probe: udp4(3), from: "10.1.1.1", typ: 4},
		{reply: "port-unreachable", probe: udp4(3), from: "10.1.1.1", typ: 3, code: 3},
		{reply: "proto-unreachable", probe: udp4(3), from: "10.1.1.1", typ: 3, code: 2},
		{reply: "type 40/5 rest 1", probe: udp4(3), from: "10.1.1.1", typ: 40, code: 5, rest: 1},
		{reply: "te quote 28", probe: udp4(3), from: "10.1.1.1", typ: 11, quoteBytes: 28},
		{reply: "te quote 24", probe: udp4(3), from: "10.1.1.1", typ: 11, quoteBytes: 24},
		{reply: "te length 9", probe: udp4(3), from: "10.1.1.1", typ: 11, rest: 9 << 16},

		{reply: "te", probe: udp6(3), from: "fd01::1", typ: 3},
		{reply: "unreach 1", probe: icmp6(3), from: "fd01::1", typ: 1, code: 1},
		{reply: "toobig 1400", probe: udp6(3), from: "fd01::1", typ: 2, rest: 1400},
		{reply: "param 1 rest 40", probe: udp6(3), from: "fd01::1", typ: 4, code: 1, rest: 40},
		{reply: "port-unreachable", probe: udp6(3), from: "fd01::1", typ: 1, code: 4},
		{reply: "proto-unreachable", probe: udp6(3), from: "fd01::1", typ: 4, code: 1},
		{reply: "te length 9 tos 8", probe: udp6(3), from: "fd01::1", typ: 3, rest: 9 << 24, tos: 8},
	} {
		t.Run(c.reply+" to "+c.from, func(t *testing.T) {
			r := responder(t, fmt.Sprintf("hop 3 %s from %s", c.reply, c.from))
			got := one(t, r, build(t, c.probe))
			quote := quoted(t, c.probe, 1)
			if c.quoteBytes > 0 {
				quote = quote[:c.quoteBytes]
			}
			o := outer{from: netip.MustParseAddr(c.from), to: c.probe.Src, ttl: 64, tos: c.tos, id: 1}
			if c.ttl > 0 {
				o.ttl = c.ttl
			}
			want := wrapError(t, o, c.typ, c.code, c.rest, quote)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuoteLength(t *testing.T) {
	for _, c := range []struct {
		reply  string
		probe  frame.Probe
		size   int // of the probe
		quote  int // bytes that come back
		zeroed int // of them, at the end
	}{
		{"te from 10.1.1.1", udp4(1), 60, 60, 0},
		{"te from 10.1.1.1", udp4(1), 1500, 548, 0},
		{"te from 10.1.1.1 full", udp4(1), 1200, 1200, 0},
		{"te from 10.1.1.1 full", udp4(1), 1500, 1472, 0}, // what the link carries
		{"te from 10.1.1.1 pad128", udp4(1), 60, 128, 68},
		{"te from 10.1.1.1 quote 200", udp4(1), 60, 200, 140},
		{"te from 10.1.1.1 quote 0", udp4(1), 60, 0, 0},
		{"te from fd01::1", udp6(1), 80, 80, 0},
		{"te from fd01::1", udp6(1), 1500, 1232, 0},
	} {
		t.Run(fmt.Sprintf("%s, %d bytes", c.reply, c.size), func(t *testing.T) {
			p := c.probe
			p.Size = c.size
			got := one(t, responder(t, "hop 1 "+c.reply), build(t, p))
			header := ethernetLen + ipv4HeaderLen + icmpHeaderLen
			if p.Src.Is6() {
				header = ethernetLen + ipv6HeaderLen + icmpHeaderLen
			}
			want := append(quoted(t, p, 1), make([]byte, c.zeroed)...)[:c.quote]
			if diff := cmp.Diff(want, got[header:]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuotedTTL checks that a quote has lost a TTL per router before the one
// that sends it.
func TestQuotedTTL(t *testing.T) {
	const path = "hop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1\nhop 5- unreach 1 from 10.1.5.1\nmtu 2 1300\n"
	for _, c := range []struct {
		ttl  uint8
		size int
		df   bool
		from string
		want uint8
	}{
		{1, 60, false, "10.1.1.1", 1},
		{2, 60, false, "10.1.2.1", 1},
		{4, 60, false, "10.2.2.2", 2}, // three hops away
		{3, 60, false, "10.2.2.2", 1},
		{5, 60, false, "10.1.5.1", 1},
		{8, 60, false, "10.1.5.1", 4},
		{4, 1400, true, "10.1.2.1", 3},
	} {
		p := udp4(c.ttl)
		p.Size, p.DF = c.size, c.df
		var reply frame.Reply
		frame.Decode(one(t, responder(t, path), build(t, p)), frame.LinkEthernet, false, &reply)
		if reply.From.String() != c.from || reply.Quote.TTL != c.want {
			t.Errorf("TTL %d, %d bytes: from %s, quoted TTL %d, want %s, %d", c.ttl, c.size, reply.From, reply.Quote.TTL, c.from, c.want)
		}
	}
}

func TestBadChecksum(t *testing.T) {
	for _, c := range []struct {
		line  string
		probe frame.Probe
	}{
		{"hop 1 te from 10.1.1.1", udp4(1)},
		{"hop 1 te from fd01::1", udp6(1)},
		{"dest icmp echo", icmp4(1)},
		{"dest tcp synack", tcp4(1, frame.FlagSYN)},
		{"dest udp answer data 00", udp6(1)},
	} {
		for modifier, want := range map[string]frame.Checksum{"": frame.ChecksumGood, " badsum": frame.ChecksumBad} {
			var reply frame.Reply
			frame.Decode(one(t, responder(t, c.line+modifier), build(t, c.probe)), frame.LinkEthernet, false, &reply)
			if reply.Checksum != want {
				t.Errorf("%s%s: checksum %v, want %v", c.line, modifier, reply.Checksum, want)
			}
		}
	}
}
