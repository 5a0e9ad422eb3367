package text

import (
	"strings"
	"testing"

	"github.com/hopquote/hopquote/scheduler/hops"
)

func TestSizeNotes(t *testing.T) {
	tests := []struct {
		name  string
		probe []hops.Settled
		want  string
	}{
		{"told, then as ever", []hops.Settled{
			{TTL: 1, Outcome: hops.Hop, Answer: te(r1), Shrunk: 1500},
			{TTL: 1, Query: 1, Outcome: hops.Hop, Answer: te(r1)},
		}, "\n 1  10.1.1.1  X ms F=1500  X ms\n"},
		{"told, then lost", []hops.Settled{
			{TTL: 2, Outcome: hops.Lost, Shrunk: 1400},
			{TTL: 2, Query: 1, Outcome: hops.Lost},
		}, "\n 2  * F=1400 *\n"},
		{"an error's note takes the place", []hops.Settled{
			{TTL: 2, Outcome: hops.Refused, Answer: big(r2, 0), Shrunk: 1400},
		}, "\n 2  10.1.2.1  X ms !F-0\n"},
		{"found by trying", []hops.Settled{
			{TTL: 3, Outcome: hops.Arrived, Answer: un(target, 3), Shrunk: 1400, Probed: true},
		}, "\n 3  10.2.2.2  X ms F~1400\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			w := New(&out, Config{Numeric: true})
			for _, s := range tt.probe {
				if err := w.Probe(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(out.String(), shownRTT, "X ms"); got != tt.want {
				t.Errorf("printed %q, want %q", got, tt.want)
			}
		})
	}
}
