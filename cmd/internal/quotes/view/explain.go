package view

import (
	"fmt"
	"io"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/attribute"
)

// Identity prints which header fields tell probes apart, per method and
// family: as other programs' probes are read, and with a run's secret.
func Identity(w io.Writer) {
	for _, set := range []struct {
		title  string
		fields []frame.IdentityField
	}{{"Without a secret", frame.IdentityFields()}, {"Keyed by a run's secret", frame.KeyedFields()}} {
		fmt.Fprintln(w, set.title)
		for _, f := range set.fields {
			fmt.Fprintln(w, " ", f)
		}
	}
}

// Explain prints what verdicts, anomalies, rules and keys mean.
func Explain(w io.Writer) {
	left := func(name, title string) column { return column{name, title, true} }
	verdicts := &table{heading: "Verdicts: every reply has one", columns: []column{left("", "VERDICT"), left("", "MEANING")}}
	for v := range attribute.Verdict(attribute.Verdicts) {
		verdicts.rows = append(verdicts.rows, []any{v.String(), v.Meaning()})
	}
	anomalies := &table{heading: "Anomalies: a reply may have several", columns: []column{left("", "ANOMALY"), left("", "EFFECT"), left("", "MEANING")}}
	for _, k := range anomaly.List() {
		anomalies.rows = append(anomalies.rows, []any{k.Name, k.Effect.String(), k.Meaning})
	}
	rules := &table{heading: "Rules: the first that leaves one probe decides", columns: []column{left("", "RULE"), left("", "NEEDS"), left("", "WHEN")}}
	for _, r := range attribute.Rules() {
		rules.rows = append(rules.rows, []any{r.Name, r.Need.String(), r.Meaning})
	}
	keys := &table{heading: "Keys: what simpler matching looks at", columns: []column{left("", "KEY"), left("", "MEANING")}}
	for _, k := range attribute.Keys() {
		keys.rows = append(keys.rows, []any{k.Name, k.Meaning})
	}
	for _, t := range []*table{verdicts, anomalies, rules, keys} {
		t.writeText(w, true)
	}
}
