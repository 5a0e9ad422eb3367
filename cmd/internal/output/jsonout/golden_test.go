package jsonout

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
	"github.com/hopquote/hopquote/scheduler/hops"
)

var update = flag.Bool("update", false, "rewrite the golden documents")

func TestGolden(t *testing.T) {
	tests := []struct {
		file  string
		build func() (Facts, []hops.Record)
	}{
		{"full", full},
		{"silent", func() (Facts, []hops.Record) {
			f := facts()
			f.Stop, f.Counts = MaxHops, rx.Counts{Sent: 2, Expired: 2}
			return f, []hops.Record{lost(sent(1, 0)), lost(sent(2, 0))}
		}},
		{"interrupted", func() (Facts, []hops.Record) {
			f := facts()
			f.Stop, f.Counts = Interrupted, rx.Counts{Sent: 1, InFlight: 1}
			return f, []hops.Record{sent(1, 0)}
		}},
		{"error", func() (Facts, []hops.Record) {
			f := facts()
			f.Target, f.Source, f.Interface = netip.Addr{}, netip.Addr{}, ""
			f.Err = errors.New("look up \"dst\": no such host\n\xff")
			return f, nil
		}},
		{"too-big", func() (Facts, []hops.Record) {
			f := facts()
			f.Stop = Unreachable
			r := sent(1, 0)
			r.Outcome = hops.TooBig
			r.Answer = hops.Answer{At: r.SentAt + 1, RTT: 1, Local: true, Verdict: rx.Exact, Kind: frame.KindTooBig, MTU: 1500}
			return f, []hops.Record{r}
		}},
		{"shrunk", func() (Facts, []hops.Record) {
			told := icmp(sent(1, 0), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0)
			told.Sends, told.Shrunk = 2, 1500
			found := lost(sent(2, 0))
			found.Sends, found.Shrunk, found.Probed = 40, 1400, true
			return facts(), []hops.Record{told, found}
		}},
		{"origins", func() (Facts, []hops.Record) {
			f := facts()
			f.Origins, f.OriginSource = registry{}, "whois"
			r := icmp(sent(1, 0), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0)
			r.Answer.Ext, r.Answer.ExtCompliant = interfaces, true
			return f, []hops.Record{
				r, icmp(sent(1, 1), hops.Hop, "10.1.2.1", frame.KindTimeExceeded, 11, 0),
				icmp(sent(2, 0), hops.Hop, "10.1.3.1", frame.KindTimeExceeded, 11, 0), lost(sent(2, 1)),
			}
		}},
		{"ipv6-icmp", func() (Facts, []hops.Record) {
			f := facts()
			f.Target, f.Source, f.Method = addr("fd00:120::20"), addr("fd00:100::10"), "icmp"
			f.Options.DestinationPort = nil
			r, last := sent(1, 0), sent(2, 0)
			p := frame.Probe{Method: frame.ICMP, Src: f.Source, Dst: f.Target, Size: 80, TTL: 1, Label: 0xfffff, SrcPort: 77, Seq: 1}
			r.Probe, last.Probe = p, p
			r = icmp(r, hops.Hop, "fd00:100::20", frame.KindTimeExceeded, 3, 0)
			last = icmp(last, hops.Arrived, "fd00:120::20", frame.KindEchoReply, 129, 0)
			last.Answer.Quote = hops.QuoteSummary{}
			return f, []hops.Record{r, last}
		}},
		{"tcp", func() (Facts, []hops.Record) {
			f := facts()
			f.Method = "tcp"
			r := sent(1, 0)
			r.Probe.Method, r.Probe.Seq = frame.TCP, 1<<32-1
			r.Outcome = hops.Arrived
			r.Answer = hops.Answer{Verdict: rx.Exact,
				From: addr("10.2.2.2"), At: 2, RTT: 1, Kind: frame.KindTCP, TTL: 60, Size: 44,
				Flags: frame.FlagSYN | frame.FlagACK,
			}
			return f, []hops.Record{r}
		}},
		{"quotes", func() (Facts, []hops.Record) {
			f := facts()
			f.Options.Quotes, f.Options.TOS = true, 0xb8
			near, far := icmp(sent(1, 0), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0), icmp(sent(2, 0), hops.Hop, "10.1.2.1", frame.KindTimeExceeded, 11, 0)
			var p onpath.Path
			f.QuoteChanges = make(map[int][]onpath.Change)
			for _, r := range []*hops.Record{&near, &far} {
				probe := packet(t, &r.Probe)
				quote := packet(t, &r.Probe)[:28]
				if r == &far {
					quote[1] = 0
					copy(quote[12:], []byte{192, 0, 2, 7})
				}
				a := onpath.Answer{TTL: r.TTL, From: r.Answer.From, Target: f.Target, Expired: true, Probe: probe, Quote: quote}
				f.QuoteChanges[r.Tag] = p.Add(&a).Changes
			}
			f.PathChanges = p.Findings()
			return f, []hops.Record{near, far}
		}},
		{"raw", func() (Facts, []hops.Record) {
			f := facts()
			protocol := 253
			f.Method = "raw"
			f.Options.DestinationPort, f.Options.Protocol = nil, &protocol
			f.Options.Gateways = []netip.Addr{addr("10.1.1.1"), addr("10.1.3.1")}
			router, last := sent(1, 0), sent(2, 0)
			for _, r := range []*hops.Record{&router, &last} {
				r.Probe.Method, r.Probe.Protocol, r.Probe.SrcPort, r.Probe.DstPort = frame.Raw, 253, 0, 0
			}
			router = icmp(router, hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0)
			last.Outcome = hops.Arrived
			last.Answer = hops.Answer{From: addr("10.2.2.2"), At: 2, RTT: 1, Verdict: rx.Exact, Kind: frame.KindRaw, TTL: 60, Size: 60}
			return f, []hops.Record{router, last}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			f, records := tt.build()
			var out bytes.Buffer
			if err := Write(&out, Build(f, records)); err != nil {
				t.Fatal(err)
			}
			if !json.Valid(out.Bytes()) {
				t.Errorf("not JSON: %s", out.Bytes())
			}
			path := filepath.Join("testdata", tt.file+".json")
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// packet gives a probe's packet, with TOS 0xb8.
func packet(t *testing.T, p *frame.Probe) []byte {
	t.Helper()
	q := *p
	q.TOS = 0xb8
	tmpl, err := frame.NewTemplate(frame.Link{}, &q)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, tmpl.Len())
	tmpl.Put(b, &q)
	return b
}
