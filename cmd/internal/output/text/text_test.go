package text

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

var update = flag.Bool("update", false, "rewrite the golden transcripts")

// hosts names two of the addresses.
type hosts struct{}

func (hosts) Name(a netip.Addr) string {
	switch a {
	case r1:
		return "gw.example.net"
	case target:
		return "dst.example.net"
	}
	return a.String()
}

func TestTranscripts(t *testing.T) {
	te1, te2, pu := te(r1), te(r2), un(target, 3)
	h6, r6 := addr("fd00:120::20"), addr("fd00:100::20")
	tests := []struct {
		file, name string
		to         netip.Addr
		max, size  int
		cfg        Config
		hops       []hop
	}{
		{"numeric", "10.2.2.2", target, 30, 60, Config{Numeric: true},
			[]hop{at(1, te1, te1, te1), at(2, te2, te2, te2), at(3, pu, pu, pu)}},
		{"names", "dst", target, 30, 60, Config{Names: hosts{}},
			[]hop{at(1, te1, te1), at(2, te2, te2), at(3, pu, pu)}},
		{"holes", "0x0a020202", target, 4, 28, Config{Numeric: true},
			[]hop{at(1, te1, lost, te1), at(2, lost, lost, lost), at(3, te2, te(r3), lost), at(4, lost, pu, pu)}},
		{"tcp-info", "10.2.2.2", target, 255, 60, Config{Numeric: true, TCPInfo: true},
			[]hop{at(255, seg(frame.FlagSYN|frame.FlagACK))}},
		{"refused", "10.2.2.2", target, 30, 1450, Config{Numeric: true},
			[]hop{at(1, te1, te1), at(2, big(r1, 1400), big(r1, 1400))}},
		{"ipv6", "fd00:120::20", h6, 30, 80, Config{},
			[]hop{at(1, te(r6), te(r6)), at(2, lost, un(r6, 1))}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			var out strings.Builder
			w := New(&out, tt.cfg)
			if err := w.Header(tt.name, tt.to, tt.max, tt.size); err != nil {
				t.Fatal(err)
			}
			got, err := play(w, &out, tt.hops)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", tt.file+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

func TestRTT(t *testing.T) {
	tests := []struct {
		rtt  time.Duration
		want string
	}{
		{1, "  0.000 ms"},
		{499, "  0.000 ms"},
		{500, "  0.001 ms"},
		{45678, "  0.046 ms"},
		{999_499, "  0.999 ms"},
		{999_500, "  1.000 ms"},
		{time.Millisecond, "  1.000 ms"},
		{3053_940_000, "  3053.940 ms"},
		{time.Hour, "  3600000.000 ms"},
		{0, ""},
		{-time.Second, ""},
	}
	for _, tt := range tests {
		if got := string(appendRTT(nil, tt.rtt)); got != tt.want {
			t.Errorf("%d ns: got %q, want %q", tt.rtt, got, tt.want)
		}
	}
}

// recorder keeps each write apart.
type recorder []string

func (r *recorder) Write(b []byte) (int, error) {
	*r = append(*r, string(b))
	return len(b), nil
}

func TestEveryProbeIsWrittenAtOnce(t *testing.T) {
	var got recorder
	w := New(&got, Config{Numeric: true})
	_ = w.Header("h", target, 2, 60)
	_ = w.Probe(hops.Settled{TTL: 1, Outcome: hops.Hop, Answer: te(r1)})
	_ = w.Probe(hops.Settled{TTL: 1, Query: 1, Outcome: hops.Lost})
	_ = w.Probe(hops.Settled{TTL: 2, Outcome: hops.Arrived, Answer: un(target, 3)})
	_ = w.End()
	want := recorder{"traceroute to h (10.2.2.2), 2 hops max, 60 byte packets",
		"\n 1  10.1.1.1  1.235 ms", " *", "\n 2  10.2.2.2  1.235 ms", "\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestWriteErrorStays(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	defer full.Close()
	w := New(full, Config{Numeric: true})
	first := w.Header("h", target, 30, 60)
	if !errors.Is(first, syscall.ENOSPC) {
		t.Fatalf("header: got %v, want ENOSPC", first)
	}
	if err := w.Probe(hops.Settled{TTL: 1, Outcome: hops.Lost}); err != first {
		t.Errorf("probe: got %v, want the first error", err)
	}
	if err := w.End(); err != first {
		t.Errorf("end: got %v, want the first error", err)
	}
}

func FuzzProbe(f *testing.F) {
	f.Add(uint8(1), uint8(2), []byte{10, 1, 1, 1}, int64(rtt), uint8(4), uint8(11), uint8(0), uint32(0), true)
	f.Add(uint8(255), uint8(4), []byte{}, int64(1), uint8(6), uint8(0), uint8(0), uint32(1500), false)
	f.Add(uint8(9), uint8(3), make([]byte, 16), int64(-1), uint8(13), uint8(0xff), uint8(0xff), uint32(1), true)
	f.Add(uint8(0), uint8(200), []byte{1}, int64(1)<<62, uint8(200), uint8(3), uint8(42), uint32(1), false)
	f.Fuzz(func(t *testing.T, ttl, outcome uint8, from []byte, ns int64, kind, typ, code uint8, mtu uint32, numeric bool) {
		a := hops.Answer{RTT: time.Duration(ns), Kind: frame.Kind(kind), Type: typ, Code: code, Flags: code, MTU: mtu}
		a.From, _ = netip.AddrFromSlice(from)
		var out strings.Builder
		w := New(&out, Config{Numeric: numeric, TCPInfo: true})
		lines := 0
		for i := range 3 {
			for q := range 3 {
				if err := w.Probe(hops.Settled{TTL: int(ttl) + i + 1, Query: q, Outcome: hops.Outcome(outcome), Answer: a}); err != nil {
					t.Fatal(err)
				}
			}
			lines++
			if got := strings.Count(out.String(), "\n"); got != lines {
				t.Fatalf("%d newlines after %d hops: %q", got, lines, out.String())
			}
		}
	})
}
