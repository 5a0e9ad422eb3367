package internet

import (
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// TestFateShares counts how replies leave: probes to one destination with one
// TTL, which differ in their identity alone, do not share a fate.
func TestFateShares(t *testing.T) {
	c := Config{Seed: 2, Duplicates: 20, Late: 30}.withDefaults()
	for i, dst := range destinations {
		r := responder{config: c, mac: testMAC}
		const probes = 5000
		for n := range probes {
			p := frame.Probe{Method: methods[i%3], Dst: dst, TTL: 5, SrcPort: 4000, DstPort: uint16(n), Seq: uint32(n), ID: uint16(n)}
			p.TCP.Flags = frame.FlagSYN
			p.Size = p.HeaderLen()
			f, _ := buildProbe(t, &c, p)
			r.respond(f, nil)
		}
		total := r.counts.Total()
		for name, n := range map[string]uint64{"twice": total.Duplicated * 10 / 20, "late": total.Delayed * 10 / 30} {
			if n < probes/10*9/10 || n > probes/10*11/10 {
				t.Errorf("%s: %s: %+v", dst, name, total)
			}
		}
	}
}

func TestFateIsAnswersAlone(t *testing.T) {
	c := Config{Silent: 100, SilentHosts: 100, Duplicates: 50, Late: 50}.withDefaults()
	r := responder{config: c, mac: testMAC}
	for i := range 100 {
		f, _ := buildProbe(t, &c, probeAt(i, i%6))
		if out := r.respond(f, nil); out != nil || r.fate != once {
			t.Fatalf("a silent Internet answers with fate %d: %x", r.fate, out)
		}
	}
	if want := (Count{Asked: 100, Silent: 100}); r.counts.Total() != want {
		t.Errorf("counts %+v, want %+v", r.counts.Total(), want)
	}
}
