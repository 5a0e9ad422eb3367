package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
)

// recorded are the command lines whose documents and captures are looked at.
var recorded = []comparison{
	{name: "udp", args: "-n 192.168.120.20"},
	{name: "udp odd length", args: "-n -q1 192.168.120.20 61"},
	{name: "udp fragments", args: "-n -q2 192.168.120.20 2001"},
	{name: "icmp", args: "-n -I 192.168.120.20"},
	{name: "icmp odd length", args: "-n -q1 -I 192.168.120.20 61"},
	{name: "tcp", args: "-n -T 192.168.120.20"},
	{name: "udp IPv6", args: "-n fd00:120::20"},
	{name: "udp IPv6 odd length", args: "-n -q1 fd00:120::20 81"},
	{name: "udp IPv6 fragments", args: "-n -q2 fd00:120::20 2001"},
	{name: "icmp IPv6", args: "-n -I fd00:120::20"},
	{name: "tcp IPv6", args: "-n -T fd00:120::20"},
	{name: "udplite", args: "-n -UL -p 33434 192.168.120.20"},
	{name: "udplite IPv6", args: "-n -UL -p 33434 -O coverage=20 fd00:120::20"},
	{name: "connections", args: "-n -M tcpconn 192.168.120.20"},
	{name: "connections IPv6", args: "-n -q2 -M tcpconn fd00:120::20"},
}

// record runs ours with JSON output and a capture of its own.
func (w *wire) record(t *testing.T, c comparison) (o observation, doc jsonout.Document, pcap string) {
	t.Helper()
	pcap = filepath.Join(t.TempDir(), "run.pcapng")
	c.args += " --format=json --pcap=" + pcap
	o = w.observe(t, ours(), c)
	if o.Code != 0 || o.Stderr != "" {
		t.Fatalf("%s: exit %d, %s", c.args, o.Code, o.Stderr)
	}
	d := json.NewDecoder(strings.NewReader(o.Stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return o, doc, pcap
}

func TestJSON(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	for _, c := range recorded {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.args, "::") && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			o, doc, pcap := w.record(t, c)
			checkCounts(t, &doc)
			if got := uint64(len(o.probes)); got != doc.Counts.Sent {
				t.Errorf("%d probes on the wire, %d counted", got, doc.Counts.Sent)
			}
			if doc.StopReason != jsonout.Reached {
				t.Errorf("stop reason %q", doc.StopReason)
			}
			checkHops(t, &doc)
			text := w.observe(t, ours(), c)
			if diff := cmp.Diff(hopsOfText(text.Stdout), hopsOfJSON(&doc)); diff != "" {
				t.Errorf("hops (-text +json):\n%s", diff)
			}
			checkOwnCapture(t, o, &doc, pcap)
		})
	}
}

func checkCounts(t *testing.T, doc *jsonout.Document) {
	t.Helper()
	c := &doc.Counts
	strays := uint64(0)
	for _, r := range c.StrayReasons {
		strays += r.Count
	}
	switch {
	case c.Sent == 0 || c.Sent != c.Answered+c.Expired+c.InFlight:
		t.Errorf("probes don't balance: %+v", c)
	case c.Received != c.Matched+c.Duplicate+c.Late+c.Stray || c.Stray != strays || c.Matched != c.Answered:
		t.Errorf("replies don't balance: %+v", c)
	case c.KernelDrops != 0:
		t.Errorf("the ring dropped %d frames", c.KernelDrops)
	}
	sends := 0
	for _, h := range doc.Hops {
		for _, p := range h.Probes {
			sends += p.Sends
		}
	}
	if uint64(sends) != c.Sent {
		t.Errorf("%d sends listed, %d counted", sends, c.Sent)
	}
}

// The far host is the third hop of the lab.
const farTTL = 3

// checkHops wants every TTL from 1 on, and whole answers up to the target.
func checkHops(t *testing.T, doc *jsonout.Document) {
	t.Helper()
	for i, h := range doc.Hops {
		if h.TTL != i+1 {
			t.Errorf("hop %d has TTL %d", i, h.TTL)
		}
		if h.TTL > farTTL {
			continue
		}
		if len(h.Probes) != doc.Options.Queries {
			t.Errorf("TTL %d: %d probes, want %d", h.TTL, len(h.Probes), doc.Options.Queries)
		}
		want := "hop"
		if h.TTL == farTTL {
			want = "arrived"
		}
		for _, p := range h.Probes {
			switch {
			case p.Outcome != want || p.Reply == nil:
				t.Errorf("TTL %d: outcome %q, want %q", h.TTL, p.Outcome, want)
			case p.RTTNS == nil || *p.RTTNS <= 0:
				t.Errorf("TTL %d: RTT %v", h.TTL, p.RTTNS)
			case p.Reply.Quote != nil && p.Reply.Quote.TTL != 1:
				t.Errorf("TTL %d: quoted TTL %d", h.TTL, p.Reply.Quote.TTL)
			case p.Reply.Quote == nil && (h.TTL < farTTL || doc.Method == "udp"):
				t.Errorf("TTL %d: no quote", h.TTL)
			}
		}
	}
	if len(doc.Hops) < farTTL {
		t.Errorf("%d hops, want at least %d", len(doc.Hops), farTTL)
	}
}

func hopsOfJSON(doc *jsonout.Document) map[int]string {
	hops := make(map[int]string)
	for _, h := range doc.Hops[:min(len(doc.Hops), farTTL)] {
		for _, p := range h.Probes {
			if p.Responder != nil {
				hops[h.TTL] = p.Responder.String()
			}
		}
	}
	return hops
}

var hopLine = regexp.MustCompile(`(?m)^ *([0-9]+)  ([0-9a-f:.]+)  .*$`)

func hopsOfText(s string) map[int]string {
	hops := make(map[int]string)
	for _, m := range hopLine.FindAllStringSubmatch(s, -1) {
		ttl, _ := strconv.Atoi(m[1])
		hops[ttl] = m[2]
	}
	return hops
}

// checkOwnCapture compares the capture that ours wrote with the third party's,
// and with the counts.
func checkOwnCapture(t *testing.T, o observation, doc *jsonout.Document, pcap string) {
	t.Helper()
	frames := readCapture(t, pcap)
	var sent, received [][]byte
	for _, f := range frames {
		if d, _ := decodeIP(f); d != nil && own(d.Src) {
			sent = append(sent, f[14:])
		} else {
			received = append(received, f)
		}
	}
	var onWire [][]byte
	for _, f := range o.frames {
		d, data := decodeIP(f)
		if d == nil || !own(d.Src) {
			continue
		}
		if len(d.Pieces) == 0 {
			d.Payload = data
			d.decodeTransport()
		}
		if d.isProbe() {
			onWire = append(onWire, f[14:])
		}
	}
	if diff := cmp.Diff(onWire, sent); diff != "" {
		t.Errorf("packets sent (-third party +own capture):\n%s", diff)
	}
	probes := datagrams(frames, own)
	if got := uint64(len(probes)); got != doc.Counts.Sent {
		t.Errorf("%d probes in the capture, %d counted", got, doc.Counts.Sent)
	}
	c := &doc.Counts
	if got := uint64(len(received)); got != c.Matched+c.Duplicate+c.Late {
		t.Errorf("%d replies in the capture, counted: %+v", got, c)
	}
}

func readCapture(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for {
		data, _, err := r.ReadPacketData()
		if err != nil {
			break // the end; the counts tell whether it came too early
		}
		frames = append(frames, data)
	}
	return frames
}
