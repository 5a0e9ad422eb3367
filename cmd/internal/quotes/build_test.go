package quotes

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/frame"
)

var (
	us4  = netip.MustParseAddr("10.9.9.1")
	dst4 = netip.MustParseAddr("10.2.2.2")
	hop4 = netip.MustParseAddr("10.1.1.1")
	us6  = netip.MustParseAddr("fd09:9::1")
	dst6 = netip.MustParseAddr("fd02:2::2")
	hop6 = netip.MustParseAddr("fd01:1::1")
)

func udp4() frame.Probe {
	return frame.Probe{Method: frame.UDP, Src: us4, Dst: dst4, Size: 60, TTL: 5, ID: 0x1234, SrcPort: 40001, DstPort: 33440}
}

func udp6() frame.Probe {
	return frame.Probe{Method: frame.UDP, Src: us6, Dst: dst6, Size: 80, TTL: 5, Label: 0x54321, SrcPort: 40001, DstPort: 33440}
}

func icmp4() frame.Probe {
	return frame.Probe{Method: frame.ICMP, Src: us4, Dst: dst4, Size: 60, TTL: 5, ID: 0x1234, SrcPort: 4242, Seq: 7}
}

func tcp4() frame.Probe {
	return frame.Probe{Method: frame.TCP, Src: us4, Dst: dst4, TTL: 5, ID: 0x1234, SrcPort: 40001, DstPort: 80, Seq: 0x01020304,
		TCP: frame.TCPHeader{Flags: frame.FlagSYN, Window: 5840, MSS: 1460, SACK: true, Timestamps: true, TSVal: 99, WScale: true, Shift: 2}}
}

// packet builds the probe from its IP header on.
func packet(t testing.TB, p frame.Probe) []byte {
	t.Helper()
	tmpl, err := frame.NewTemplate(frame.Link{}, &p)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	return b[:tmpl.Put(b, &p)]
}

// resum makes the header checksum of an IPv4 packet right.
func resum(ip []byte) []byte {
	if ip[0]>>4 == 4 && len(ip) >= 20 {
		ip[10], ip[11] = 0, 0
		n := min(int(ip[0]&0xf)*4, len(ip))
		binary.BigEndian.PutUint16(ip[10:], ^frame.Fold(frame.Sum(ip[:n], 0)))
	}
	return ip
}

// expired is the packet as a router quotes that drops it.
func expired(ip []byte) []byte {
	q := bytes.Clone(ip)
	if q[0]>>4 == 6 {
		q[7] = 1
		return q
	}
	q[8] = 1
	return resum(q)
}

// timeExceeded wraps a quote.
func timeExceeded(from, to netip.Addr, quote, ext []byte, rest uint32) []byte {
	m := frame.ErrorMessage{From: from, To: to, TTL: 64, Type: 11, Rest: rest, Quote: quote, Ext: ext}
	if from.Is6() {
		m.Type = 3
	}
	return m.Append(nil)
}

// capture is a pcap file in the making.
type capture struct {
	t   testing.TB
	buf bytes.Buffer
	w   *pcapgo.Writer
	at  time.Time
}

func newCapture(t testing.TB) *capture {
	c := &capture{t: t, at: time.Unix(1700000000, 0)}
	c.w = pcapgo.NewWriterNanos(&c.buf)
	if err := c.w.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	return c
}

// add puts packets into it, one millisecond apart.
func (c *capture) add(packets ...[]byte) {
	c.t.Helper()
	for _, p := range packets {
		c.at = c.at.Add(time.Millisecond)
		if err := c.w.WritePacket(gopacket.CaptureInfo{Timestamp: c.at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *capture) save() string {
	path := filepath.Join(c.t.TempDir(), "made.pcap")
	if err := os.WriteFile(path, c.buf.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// line is one line of JSONL, as far as the tests look at it.
type line struct {
	Type       string
	Packet     int
	Verdict    string
	Rule       *string
	Kind       string
	Responder  string
	Nth        *int
	ProbePkt   *int   `json:"probe_packet"`
	ProbeTTL   *int   `json:"probe_ttl"`
	RTT        *int64 `json:"rtt_ns"`
	Wrapping   *string
	Anomalies  []string
	Fields     []struct{ Name, Anomaly, Sent, Quoted string }
	Extensions []string
	QuoteBytes *int `json:"quote_bytes"`
	QuoteTTL   *int `json:"quote_ttl"`

	Replies, Packets, Probes, Copies, Other int
	Damage                                  []string
	Key                                     string
	Right, Wrong, Ambiguous, None, False    int
}

// fields gives what differs, as name:sent>quoted.
func (l *line) fields() string {
	var parts []string
	for _, f := range l.Fields {
		parts = append(parts, f.Name+":"+f.Sent+">"+f.Quoted)
	}
	return strings.Join(parts, " ")
}

// output is what a run printed, and how it ended.
type output struct {
	status         int
	stdout, stderr string
	lines          []line
}

// command runs the subcommand.
func command(t testing.TB, args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	o := output{status: Main(args, &stdout, &stderr)}
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

// jsonl runs it on captures and reads the lines back. It checks the sums.
func jsonl(t testing.TB, args ...string) output {
	t.Helper()
	o := command(t, append([]string{"--format=jsonl", "--packets=4096"}, args...)...)
	o.lines = jsonlLines(t, o.stdout)
	o.balance(t)
	return o
}

func jsonlLines(t testing.TB, text string) []line {
	t.Helper()
	var list []line
	for _, s := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		var l line
		if err := json.Unmarshal([]byte(s), &l); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		list = append(list, l)
	}
	return list
}

// of gives the lines of one type.
func (o *output) of(kind string) []line {
	var list []line
	for _, l := range o.lines {
		if l.Type == kind {
			list = append(list, l)
		}
	}
	return list
}

// balance checks that every packet is counted once, in every table.
func (o *output) balance(t testing.TB) {
	t.Helper()
	totals := o.of("totals")
	if len(totals) != 1 {
		t.Fatalf("%d lines of totals, want 1:\n%s%s", len(totals), o.stdout, o.stderr)
	}
	n := totals[0]
	if n.Probes+n.Replies+n.Copies+n.Other != n.Packets {
		t.Errorf("%d probes + %d replies + %d copies + %d other, want %d", n.Probes, n.Replies, n.Copies, n.Other, n.Packets)
	}
	sum := func(kind string) (s int) {
		for _, l := range o.of(kind) {
			s += l.Replies
		}
		return s
	}
	if v, r := sum("verdict"), sum("responder"); v != n.Replies || r != n.Replies || len(o.of("reply")) != n.Replies {
		t.Errorf("%d verdicts, %d of responders, %d replies, want %d", v, r, len(o.of("reply")), n.Replies)
	}
}
