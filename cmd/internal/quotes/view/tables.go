package view

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/quotes/summary"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/attribute"
)

func (w *Run) verdicts() *table {
	t := &table{name: "verdict", heading: "Verdicts", columns: []column{
		{"verdict", "VERDICT", true}, {"replies", "REPLIES", false}, {"meaning", "MEANING", true},
	}}
	for v := range attribute.Verdict(attribute.Verdicts) {
		if n := w.Summary.Verdicts[v]; n > 0 || w.Format != Text {
			t.rows = append(t.rows, []any{v.String(), n, v.Meaning()})
		}
	}
	return t
}

func (w *Run) anomalies() *table {
	t := &table{name: "anomaly", heading: "Anomalies (a reply may have several)", columns: []column{
		{"anomaly", "ANOMALY", true}, {"replies", "REPLIES", false}, {"effect", "EFFECT", true}, {"meaning", "MEANING", true},
	}}
	for _, k := range anomaly.List() {
		n := w.Summary.Flags[bits.TrailingZeros64(uint64(k.Flag))]
		_, isVerdict := verdictOf(k.Name)
		if n > 0 && !isVerdict || w.Format != Text {
			t.rows = append(t.rows, []any{k.Name, n, k.Effect.String(), k.Meaning})
		}
	}
	return t
}

// verdictOf finds a rejecting verdict, which the table of verdicts shows.
func verdictOf(name string) (attribute.Verdict, bool) {
	for v := attribute.Ambiguous; v < attribute.Verdict(attribute.Verdicts); v++ {
		if v.String() == name {
			return v, true
		}
	}
	return 0, false
}

// groupColumns are those of responders and TTLs.
var groupColumns = []column{
	{"replies", "REPLIES", false}, {"errors", "", false}, {"attributed", "", false}, {"rewritten", "REWR", false},
	{"quote", "QUOTE", false},
	{"quote_least_bytes", "", false}, {"quote_mean_bytes", "", false}, {"quote_most_bytes", "", false},
	{"rtt_least_ns", "MIN", false}, {"rtt_mean_ns", "MEAN", false}, {"rtt_most_ns", "MAX ms", false},
	{"extended", "EXT", false}, {"rfc4884_compliant", "4884", false},
	{"mpls", "", false}, {"interface", "", false}, {"unknown_objects", "", false},
	{"anomalies", "ANOMALIES", true},
}

func groupRow(g *summary.Group) []any {
	var quote, low, mean, high, min, avg, max, compliant any
	if g.Quote.N > 0 {
		quote = span(&g.Quote)
		low, mean, high = g.Quote.Min, g.Quote.Mean(), g.Quote.Max
	}
	if g.RTT.N > 0 {
		min, avg, max = time.Duration(g.RTT.Min), g.MeanRTT(), time.Duration(g.RTT.Max)
	}
	if g.Extended > 0 {
		compliant = g.Compliant
	}
	return []any{g.Replies, g.Errors, g.Attributed, g.Rewritten, quote, low, mean, high, min, avg, max,
		g.Extended, compliant, g.MPLS, g.Interface, g.Unknown, g.Flags.Names()}
}

func span(s *summary.Span) string {
	if s.Min == s.Max {
		return fmt.Sprint(s.Min)
	}
	return fmt.Sprintf("%d-%d", s.Min, s.Max)
}

func (w *Run) ttls() *table {
	t := &table{name: "ttl", heading: "By TTL of the probe", columns: append([]column{{"ttl", "TTL", false}}, groupColumns...)}
	for ttl := range w.Summary.TTLs {
		if g := &w.Summary.TTLs[ttl]; g.Replies > 0 {
			t.rows = append(t.rows, append([]any{ttl}, groupRow(g)...))
		}
	}
	w.cutRows(t)
	return t
}

// cutRows keeps the first rows of a long table in text.
func (w *Run) cutRows(t *table) {
	if w.Limit > 0 && w.Format == Text && len(t.rows) > w.Limit {
		t.note = fmt.Sprintf("and %d more; --limit=0 shows all", len(t.rows)-w.Limit)
		t.rows = t.rows[:w.Limit]
	}
}

func (w *Run) responders() *table {
	t := &table{name: "responder", heading: "By responder", columns: append([]column{
		{"responder", "RESPONDER", true}, {"ttl", "TTL", false}, {"ttl_least", "", false}, {"ttl_most", "", false},
	}, groupColumns...)}
	type line struct {
		addr netip.Addr
		g    *summary.Group
		ttl  uint64
	}
	var list []line
	for a, g := range w.Summary.Responders {
		ttl := uint64(256) // those without a cause last
		if g.TTL.N > 0 {
			ttl = g.TTL.Min
		}
		list = append(list, line{a, g, ttl})
	}
	slices.SortFunc(list, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.ttl, b.ttl), cmp.Compare(b.g.Replies, a.g.Replies), a.addr.Compare(b.addr))
	})
	if w.Limit > 0 && w.Format == Text && len(list) > w.Limit {
		// The busiest are the ones to see.
		slices.SortStableFunc(list, func(a, b line) int { return cmp.Compare(b.g.Replies, a.g.Replies) })
		t.note = fmt.Sprintf("and %d more; --limit=0 shows all", len(list)-w.Limit)
		list = list[:w.Limit]
	}
	if w.Summary.Others.Replies > 0 {
		list = append(list, line{netip.Addr{}, &w.Summary.Others, 0})
	}
	for _, l := range list {
		var name any = l.addr
		if !l.addr.IsValid() {
			name = "(others)"
		}
		var ttl, low, high any
		if l.g.TTL.N > 0 {
			ttl, low, high = span(&l.g.TTL), l.g.TTL.Min, l.g.TTL.Max
		}
		t.rows = append(t.rows, append([]any{name, ttl, low, high}, groupRow(l.g)...))
	}
	return t
}

func (w *Run) extensions() *table {
	t := &table{name: "extension", heading: "Extensions (mpls: label/exp/bottom/TTL)", columns: []column{
		{"responder", "RESPONDER", true}, {"ttl", "TTL", false}, {"replies", "REPLIES", false}, {"object", "OBJECT", true},
	}}
	for e, n := range w.Summary.Extensions {
		var ttl any
		if e.TTL > 0 {
			ttl = e.TTL
		}
		t.rows = append(t.rows, []any{e.Responder, ttl, n, e.Text})
	}
	slices.SortFunc(t.rows, func(a, b []any) int {
		ta, _ := a[1].(uint8)
		tb, _ := b[1].(uint8)
		return cmp.Or(cmp.Compare(ta, tb), strings.Compare(csvOf(a[0]), csvOf(b[0])), strings.Compare(a[3].(string), b[3].(string)))
	})
	w.cutRows(t)
	if w.Summary.Unlisted > 0 {
		t.note = strings.TrimPrefix(t.note+"; ", "; ") + fmt.Sprintf("%d objects are not listed: there are too many kinds", w.Summary.Unlisted)
	}
	return t
}

func (w *Run) rules() *table {
	t := &table{name: "rule", heading: "Replies by the rule that found their probe", columns: []column{
		{"rule", "RULE", true}, {"replies", "REPLIES", false},
	}}
	for _, name := range ruleNames() {
		if n := w.Summary.Rules[name]; n > 0 || w.Format != Text {
			t.rows = append(t.rows, []any{name, n})
		}
	}
	return t
}

func ruleNames() []string {
	var names []string
	for _, r := range attribute.Rules() {
		names = append(names, r.Name)
	}
	return append(names, "answer", "answer-other-address")
}

func (w *Run) keys() *table {
	t := &table{name: "key", heading: "Keys: how each alone attributes the replies, against all the evidence", columns: []column{
		{"key", "KEY", true}, {"right", "RIGHT", false}, {"wrong", "WRONG", false}, {"ambiguous", "AMBIG", false},
		{"none", "NONE", false}, {"false", "FALSE", false}, {"refused", "", false},
		{"precision", "PREC", false}, {"recall", "RECALL", false},
		{"error_right", "", false}, {"error_wrong", "", false}, {"error_ambiguous", "", false}, {"error_none", "", false},
		{"error_false", "", false}, {"error_refused", "", false},
		{"answer_right", "", false}, {"answer_wrong", "", false}, {"answer_ambiguous", "", false}, {"answer_none", "", false},
		{"answer_false", "", false}, {"answer_refused", "", false}, {"meaning", "", true},
	}}
	for i := range w.Scores {
		k := &w.Scores[i]
		s := k.Errors
		s.Add(&k.Answers)
		row := []any{k.Key.Name, s.Right, s.Wrong, s.Ambiguous, s.None, s.False, s.Refused, s.Precision(), s.Recall()}
		for _, s := range []*attribute.Score{&k.Errors, &k.Answers} {
			row = append(row, s.Right, s.Wrong, s.Ambiguous, s.None, s.False, s.Refused)
		}
		t.rows = append(t.rows, append(row, k.Key.Meaning))
	}
	return t
}
