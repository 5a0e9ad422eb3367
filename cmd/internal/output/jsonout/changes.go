package jsonout

import (
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
)

// QuoteChange is a field of the probe that came back as another value. Values
// are texts: numbers, some in hexadecimal with 0x, addresses, bytes in
// hexadecimal, or absent.
type QuoteChange struct {
	Field    string `json:"field"`
	Anomaly  string `json:"anomaly"` // what is odd about it, as hopquote quotes --explain lists them
	Sent     string `json:"sent"`
	Quoted   string `json:"quoted"`
	SinceTTL int    `json:"since_ttl"` // the hop that was the first of those up to this one to quote it so
}

// PathChange is a place of the path where packets are changed.
type PathChange struct {
	Change      string         `json:"change"`      // nat, tos, ttl, mss, …
	Description string         `json:"description"` // the same in words, with the place
	AfterTTL    *int           `json:"after_ttl"`   // the last hop that quotes the packet otherwise; null where none tells
	FirstTTL    int            `json:"first_ttl"`   // the first hop that shows the change
	LastTTL     int            `json:"last_ttl"`    // the last one that does
	UntilTTL    *int           `json:"until_ttl"`   // the first hop behind that quotes it as it was sent; null for none
	Fields      []ChangedField `json:"fields"`      // as the first hop quotes them; empty where the evidence is another
	Evidence    *string        `json:"evidence"`    // what else tells, in words; null for nothing
}

// ChangedField is a field of a PathChange.
type ChangedField struct {
	Field   string `json:"field"`
	Anomaly string `json:"anomaly"`
	Sent    string `json:"sent"`
	Quoted  string `json:"quoted"`
}

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
