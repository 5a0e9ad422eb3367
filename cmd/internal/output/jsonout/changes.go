package jsonout

import (
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
)

func quoteChanges(changes []onpath.Change) []QuoteChange {
	var out []QuoteChange
	for i := range changes {
		c := &changes[i]
		out = append(out, QuoteChange{Field: word(c.Name), Anomaly: word(c.Flag.String()), Sent: c.Sent.String(), Quoted: c.Quoted.String(), SinceTTL: c.Since})
	}
	return out
}

func pathChanges(findings []onpath.Finding) []PathChange {
	var out []PathChange
	for i := range findings {
		f := &findings[i]
		out = append(out, PathChange{
			Change: f.Kind.String(), Description: f.What + " " + f.Where(),
			AfterTTL: known(f.After, f.After != 0), FirstTTL: f.At, LastTTL: f.Last, UntilTTL: known(f.Until, f.Until != 0),
			Fields: changedFields(f.Fields), Evidence: known(f.Evidence, f.Evidence != ""),
		})
	}
	return out
}

func changedFields(fields []anomaly.Field) []ChangedField {
	var out []ChangedField
	for _, f := range fields {
		out = append(out, ChangedField{Field: word(f.Name), Anomaly: word(f.Flag.String()), Sent: f.Sent.String(), Quoted: f.Quoted.String()})
	}
	return out
}
