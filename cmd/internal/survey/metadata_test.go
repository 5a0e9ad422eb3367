package survey

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/rx"
)

// Balanced tells whether the numbers add up, by their names alone.
func (c *counts) Balanced() bool {
	by := map[bool]uint64{}
	var first uint64
	for v := range rx.Verdict(rx.Verdicts) {
		n := c.Verdicts[v.String()]
		by[v.Attributed()] += n
		if v.First() {
			first += n
		}
	}
	var reasons uint64
	for _, n := range c.Reasons {
		reasons += n
	}
	return c.Sent == c.Answered+c.Expired+c.InFlight && c.Received == c.Matched+c.Duplicate+c.Late+c.Stray &&
		c.Received == by[true]+by[false] && c.Stray == by[false] && c.Stray == reasons && c.Matched == first &&
		c.Duplicate == c.Verdicts[rx.Duplicate.String()] && c.Late == c.Verdicts[rx.Late.String()]
}

// Every number of the engine's has a name of its own, and adds up.
func TestMetadataCounts(t *testing.T) {
	c := rx.Counts{Sent: 9, Answered: 5, Expired: 3, InFlight: 1, Received: 12, Matched: 5, Duplicate: 2, Late: 1}
	c.Stray[rx.ReasonCheck], c.Stray[rx.ReasonNoKey] = 3, 1
	c.Verdicts[rx.Spoofed], c.Verdicts[rx.Stray], c.Verdicts[rx.Exact], c.Verdicts[rx.Rewritten] = 3, 1, 4, 1
	c.Verdicts[rx.Duplicate], c.Verdicts[rx.Late] = 2, 1
	m := countsOf(&c)
	if !c.Balanced() || !m.Balanced() {
		t.Errorf("%+v balanced is %v, %+v is %v", c, c.Balanced(), m, m.Balanced())
	}
	b, err := json.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"sent":9,"answered":5,"expired":3,"in_flight":1,"received":12,"matched":5,"duplicate":2,"late":1,"stray":4,` +
		`"stray_reasons":{"check":3,"no_key":1},"verdicts":{"duplicate":2,"exact":4,"late":1,"rewritten":1,"spoofed":3,"stray":1}}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Verdicts)) {
		m.Verdicts[k]++
		if m.Balanced() {
			t.Errorf("one more that is %s changes nothing", k)
		}
		m.Verdicts[k]--
	}
}
