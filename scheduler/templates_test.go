package scheduler

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

var (
	here  = netip.MustParseAddr("10.9.9.1")
	there = netip.MustParseAddr("10.2.2.2")
)

// Shapes that take turns find their own templates, also when there are more
// than the recent ones hold.
func TestTemplatesOfManyShapes(t *testing.T) {
	var all templates
	for round := range 3 {
		for n := range 2 * recentShapes {
			p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
			tmpl, err := all.find(&p)
			if err != nil {
				t.Fatal(err)
			}
			if tmpl.Len() != p.Size {
				t.Errorf("round %d: a template of %d bytes for a probe of %d", round, tmpl.Len(), p.Size)
			}
		}
	}
	if len(all.all) != 2*recentShapes {
		t.Errorf("%d templates for %d shapes", len(all.all), 2*recentShapes)
	}
}

func TestTemplatesAreBounded(t *testing.T) {
	var all templates
	for n := range maxTemplates + 10 {
		p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
		if _, err := all.find(&p); err != nil {
			t.Fatal(err)
		}
	}
	if len(all.all) > maxTemplates {
		t.Errorf("%d templates are kept, want %d at most", len(all.all), maxTemplates)
	}
}

func BenchmarkFindTemplate(b *testing.B) {
	for _, shapes := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shapes=%d", shapes), func(b *testing.B) {
			var all templates
			probes := make([]frame.Probe, shapes)
			for n := range probes {
				probes[n] = frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 1) % shapes
				if _, err := all.find(&probes[i]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
