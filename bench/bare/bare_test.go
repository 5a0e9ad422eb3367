package bare

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/transmit"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

// Every probe is answered and matched, at full speed and paced, and the counts
// are those of the link and of the Internet.
func TestRun(t *testing.T) {
	lab.Skip(t)
	g, err := ground.Open(ground.Config{Seed: 1, Inline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	packet, _ := transmit.Find("packet")
	for _, rate := range []float64{0, 20_000} {
		const probes = 5_001
		var r Result
		truth, err := g.Observe(func() error {
			return g.Host(internet.Prober).Do(func() (err error) {
				r, err = Run(t.Context(), Config{Destination: ground.Target(0), Sender: packet, Probes: probes, Rate: rate, Hops: 16})
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Sent != probes || r.Matched != probes || r.Strays != 0 || r.Drops != 0 {
			t.Errorf("rate %v: %+v, want %d sent and matched", rate, r, probes)
		}
		if truth.Asked != probes || truth.Answered != probes || truth.Left != truth.Asked+truth.Other {
			t.Errorf("rate %v: truth %+v, want %d probes", rate, truth, probes)
		}
		if r.RTT50 <= 0 || r.RTT99 < r.RTT50 || r.Latency99 < r.Latency50 || r.Peak <= 0 {
			t.Errorf("rate %v: times or memory are out of order: %+v", rate, r)
		}
		if least := time.Duration(probes-1) * time.Second / 20_000; rate > 0 && time.Duration(r.TookNS) < least {
			t.Errorf("%d probes took %v at 20,000 a second, want %v or more", probes, time.Duration(r.TookNS), least)
		}
	}
}

func TestWriteRead(t *testing.T) {
	want := Result{Sent: 1, Matched: 2, Strays: 3, Refused: 4, Drops: 5, Frozen: 6, TookNS: 7, RTT50: 8, RTT99: 9, Latency50: 10, Latency99: 11, Peak: 12}
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(b.Bytes())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := Read(nil); err == nil {
		t.Error("nothing is read as a result")
	}
}

// However many there are, the sample is spread over all.
func TestSpread(t *testing.T) {
	var s spread
	const n = 5 * kept
	for i := range n {
		s.add(time.Duration(i))
	}
	p50, p99 := s.middle()
	if s.n < kept/2 || p50 < n*45/100 || p50 > n*55/100 || p99 < n*97/100 {
		t.Errorf("%d kept of 0..%d, median %d, 99 of 100 below %d", s.n, n-1, p50, p99)
	}
}
