package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet"
)

// simulated is one run on a simulated path, which saw its probes.
type simulated struct {
	result
	start  time.Time // before the program was started
	probes []simnet.Probe
}

// openText builds the network of a script's lines.
func openText(t *testing.T, lines string) *simnet.Net {
	t.Helper()
	s, err := simnet.Parse(t.Name(), []byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	return openScript(t, s)
}

// simulate runs both programs at once, each on a path of its own.
func simulate(t *testing.T, open func(*testing.T) *simnet.Net, args string) (want, got simulated) {
	t.Helper()
	begin := func(program string) func() simulated {
		n := open(t)
		s := simulated{start: time.Now()}
		end := launch(t, n.Host(simnet.Prober), comparison{args: args, hasty: true}.command(program))
		return func() simulated {
			s.result = end().timeless()
			s.probes = n.Probes()
			return s
		}
	}
	first, second := begin(theirs(t)), begin(ours())
	return first(), second()
}

// fixed tells the fields of the probes that are not left to chance.
func (s simulated) fixed() []string {
	var all []string
	for _, d := range s.datagrams() {
		all = append(all, d.fixed(false, false))
	}
	return all
}

func (s simulated) datagrams() []*datagram {
	frames := make([][]byte, len(s.probes))
	for i, p := range s.probes {
		frames[i] = p.Frame
	}
	return datagrams(frames, func(netip.Addr) bool { return true })
}

// sends tells the probes' TTLs, with a comma where nothing came for a pause:
// "1 1, 2" for two at once and one later.
func sends(probes []simnet.Probe, pause time.Duration) string {
	var b strings.Builder
	for i, p := range probes {
		if i > 0 && p.Time.Sub(probes[i-1].Time) > pause {
			b.WriteByte(',')
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		ttl := 0
		if d, _ := decodeIP(p.Frame); d != nil {
			ttl = d.TTL
		}
		fmt.Fprint(&b, ttl)
	}
	return b.String()
}
