package quotes

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// replyOf gives what the replies of a run are, as verdict and anomalies.
func replyOf(o *output) string {
	var list []string
	for _, r := range o.of("reply") {
		list = append(list, strings.TrimSuffix(r.Verdict+" "+strings.Join(r.Anomalies, ","), " "))
	}
	return strings.Join(list, "; ")
}

// structure builds an RFC 4884 extension structure around objects.
func structure(first byte, objects ...byte) []byte {
	ext := append([]byte{first, 0, 0, 0}, objects...)
	binary.BigEndian.PutUint16(ext[2:], ^frame.Fold(frame.Sum(ext, 0)))
	return ext
}

// What is odd about a message besides its quote, and about several together.
func TestMessages(t *testing.T) {
	probe := packet(t, udp4())
	mpls := []byte{0, 8, 1, 1, 0, 1, 0x01, 9}
	padded := func() []byte { return append(expired(probe), make([]byte, 128-len(probe))...) }
	te := timeExceeded(hop4, us4, expired(probe), nil, 0)
	answer := func(a frame.Answer) []byte {
		a.TTL = 60
		return a.Append(nil)
	}
	syn := packet(t, tcp4())
	elsewhere := netip.MustParseAddr("10.8.8.8")
	for _, tt := range []struct {
		name string
		add  func(c *capture)
		want string
	}{
		{"18 extension", func(c *capture) {
			c.add(probe, timeExceeded(hop4, us4, padded(), structure(0x20, mpls...), 32<<16))
		}, "exact"},
		{"18 no length", func(c *capture) {
			c.add(probe, timeExceeded(hop4, us4, padded(), structure(0x20, mpls...), 0))
		}, "exact ext-no-length"},
		{"18 version swapped", func(c *capture) {
			c.add(probe, timeExceeded(hop4, us4, padded(), structure(0x02, mpls...), 0))
		}, "exact ext-no-length,ext-version"},
		{"18 checksum bad", func(c *capture) {
			ext := structure(0x20, mpls...)
			ext[2]++
			c.add(probe, timeExceeded(hop4, us4, padded(), ext, 32<<16))
		}, "exact ext-checksum"},
		{"18 checksum zero", func(c *capture) {
			ext := structure(0x20, mpls...)
			ext[2], ext[3] = 0, 0
			c.add(probe, timeExceeded(hop4, us4, padded(), ext, 32<<16))
		}, "exact ext-checksum"},
		{"18 object of length 3", func(c *capture) {
			c.add(probe, timeExceeded(hop4, us4, padded(), structure(0x20, 0, 3, 1, 1, 0, 0, 0, 0), 32<<16))
		}, "exact ext-objects"},
		{"18 object of length 65535", func(c *capture) {
			c.add(probe, timeExceeded(hop4, us4, padded(), structure(0x20, 0xff, 0xff, 1, 1, 0, 0, 0, 0), 32<<16))
		}, "exact ext-objects"},
		{"19 checksum of the reply", func(c *capture) {
			bad := bytes.Clone(te)
			bad[22]++
			c.add(probe, bad)
		}, "exact reply-checksum"},
		{"20 duplicate, and a second router", func(c *capture) {
			c.add(probe, te, te, timeExceeded(elsewhere, us4, expired(probe), nil, 0))
		}, "exact; duplicate duplicate; duplicate duplicate"},
		{"21 late", func(c *capture) {
			c.add(probe)
			c.at = c.at.Add(7 * time.Second)
			c.add(te)
		}, "late late"},
		{"21 forgotten", func(c *capture) {
			c.add(probe)
			c.at = c.at.Add(2 * time.Minute)
			c.add(te)
		}, "foreign foreign"},
		{"22 error from the target", func(c *capture) {
			c.add(probe, timeExceeded(dst4, us4, expired(probe), nil, 0))
		}, "exact from-target"},
		{"24 echo reply from another address", func(c *capture) {
			c.add(packet(t, icmp4()), answer(frame.Answer{Method: frame.ICMP, From: elsewhere, To: us4, SrcPort: 4242, Seq: 7}))
		}, "exact other-address"},
		{"24 reset from another address", func(c *capture) {
			c.add(syn, answer(frame.Answer{Method: frame.TCP, From: elsewhere, To: us4, SrcPort: 80, DstPort: 40001,
				Ack: tcp4().Seq + 1, Flags: frame.FlagRST | frame.FlagACK}))
		}, "exact other-address"},
		{"echo reply", func(c *capture) {
			c.add(packet(t, icmp4()), answer(frame.Answer{Method: frame.ICMP, From: dst4, To: us4, SrcPort: 4242, Seq: 7}))
		}, "exact"},
		{"syn-ack, and the kernel's reset after it", func(c *capture) {
			c.add(syn, answer(frame.Answer{Method: frame.TCP, From: dst4, To: us4, SrcPort: 80, DstPort: 40001,
				Seq: 5, Ack: tcp4().Seq + 1, Flags: frame.FlagSYN | frame.FlagACK}))
			c.add(answer(frame.Answer{Method: frame.TCP, From: us4, To: dst4, SrcPort: 40001, DstPort: 80,
				Seq: tcp4().Seq + 1, Flags: frame.FlagRST}))
		}, "exact"},
		{"reset that acknowledges nothing of ours", func(c *capture) {
			c.add(syn, answer(frame.Answer{Method: frame.TCP, From: dst4, To: us4, SrcPort: 80, DstPort: 40001,
				Ack: 1, Flags: frame.FlagRST | frame.FlagACK}))
		}, "spoofed spoofed"},
		{"udp answer", func(c *capture) {
			c.add(probe, answer(frame.Answer{Method: frame.UDP, From: dst4, To: us4, SrcPort: 33440, DstPort: 40001}))
		}, "exact"},
		{"answer to nothing", func(c *capture) {
			c.add(answer(frame.Answer{Method: frame.ICMP, From: dst4, To: us4, SrcPort: 1, Seq: 1}))
		}, "stray stray"},
		{"our own port unreachable for an answer", func(c *capture) {
			a := answer(frame.Answer{Method: frame.UDP, From: dst4, To: us4, SrcPort: 33440, DstPort: 40001})
			m := frame.ErrorMessage{From: us4, To: dst4, TTL: 64, Type: 3, Code: 3, Quote: a}
			c.add(probe, a, m.Append(nil))
		}, "exact; exact"},
		{"several alike in flight, one TTL", func(c *capture) { c.add(probe, probe, te) }, "exact resent"},
		{"several alike in flight, two TTLs", func(c *capture) {
			p := udp4()
			p.TTL++
			c.add(probe, packet(t, p), te)
		}, "ambiguous ambiguous"},
		{"one after the other, two TTLs", func(c *capture) {
			p := udp4()
			p.TTL++
			c.add(probe, te, packet(t, p), te)
		}, "exact; exact"},
		{"cut by the capture", func(c *capture) { c.add(probe, te[:60]) }, "exact cut"},
		{"quote not captured", func(c *capture) { c.add(probe, te[:28]) }, "foreign truncated,cut,foreign"},
		{"28 extension headers", func(c *capture) {
			p := packet(t, udp6())
			ext := append(bytes.Clone(p[:40]), p[6], 0, 1, 4, 0, 0, 0, 0)
			ext = append(ext, p[40:]...)
			ext[6] = 0 // hop-by-hop options
			binary.BigEndian.PutUint16(ext[4:], uint16(len(ext)-40))
			quote := expired(ext)
			quote[43]++
			c.add(ext, timeExceeded(hop6, us6, quote, nil, 0))
			c.add(p, timeExceeded(hop6, us6, expired(p), nil, 0))
		}, "rewritten extension-headers; exact"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCapture(t)
			tt.add(c)
			o := jsonl(t, c.save())
			if got := replyOf(&o); got != tt.want || o.status != 0 {
				t.Errorf("exit %d, %q, want %q", o.status, got, tt.want)
			}
		})
	}
}
