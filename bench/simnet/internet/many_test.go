package internet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// TestManyProbes has 100,000 probes answered, in batches: none is lost.
func TestManyProbes(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 probes: not in short mode")
	}
	const probes, batch = 100_000, 64
	c := Config{Seed: 9}
	n := inKernel(t, c)
	w := newWire(t, n, c, rx.RingConfig{Blocks: 256})
	templates := map[int]*frame.Template{}
	var frames [batch][]byte
	var room [batch][128]byte
	var want Counters
	matched := 0
	match := func(data []byte, m *rx.Match) {
		if m.Verdict != rx.Exact {
			t.Fatalf("verdict %v (%v): %x", m.Verdict, m.Reason, data)
		}
		matched++
		w.table.Forget(m.Tag)
	}
	for i := 0; i < probes; {
		k := 0
		for ; k < batch && i < probes; k, i = k+1, i+1 {
			kind := i % 6
			p := probeAt(i, kind)
			p.Src = source(&w.config, p.Dst)
			tmpl := templates[kind]
			if tmpl == nil {
				var err error
				if tmpl, err = frame.NewTemplate(w.link, &p); err != nil {
					t.Fatal(err)
				}
				templates[kind] = tmpl
			}
			frames[k] = room[k][:tmpl.Put(room[k][:], &p)]
			count := want.Of(p.Method, p.IsIPv6())
			count.Asked++
			count.Answered++
			w.table.Add(i, &p, time.Since(w.ring.Epoch()))
		}
		w.send(t, frames[:k]...)
		w.drain(t, match)
	}
	// What was sent was answered before send returned: it is in the ring.
	got := w.counters(t, probes)
	got.Neighbours, got.Foreign = 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-asked +counted):\n%s", diff)
	}
	w.until(t, func() bool { return matched >= probes }, match)
	if drops, err := w.ring.Drops(); drops != 0 || err != nil || matched != probes {
		t.Errorf("%d of %d matched, ring dropped %d (%v)", matched, probes, drops, err)
	}
}

// probeAt is one of many probes: every kind, that is method and family, goes to
// a destination of its own, with all TTLs.
func probeAt(i, kind int) frame.Probe {
	p := frame.Probe{Method: methods[kind%3], Dst: destinations[kind], TTL: uint8(1 + i/6%24), ID: uint16(i)}
	p.TCP.Flags = frame.FlagSYN
	p.SrcPort, p.DstPort, p.Seq = uint16(1024+i%60000), uint16(33434+i/60000), uint32(i)
	p.Size = p.HeaderLen()
	return p
}
