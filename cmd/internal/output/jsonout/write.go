package jsonout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Write writes the document, indented, with a newline at its end, in one
// write. Lists that are nil come out empty, and factors that are no finite
// number, for which JSON has no form, as 0.
func Write(w io.Writer, d Document) error {
	var out bytes.Buffer // an error leaves no half of a document
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(complete(d)); err != nil {
		return fmt.Errorf("encode JSON: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// complete gives a copy of the document without nil lists.
func complete(d Document) Document {
	d.CommandLine = list(d.CommandLine)
	d.Counts.StrayReasons, d.Counts.Verdicts = list(d.Counts.StrayReasons), list(d.Counts.Verdicts)
	d.Options.WaitHere, d.Options.WaitNear = finite(d.Options.WaitHere), finite(d.Options.WaitNear)
	d.Options.Gateways = list(d.Options.Gateways)
	d.PathChanges = slices.Clone(list(d.PathChanges))
	for i := range d.PathChanges {
		d.PathChanges[i].Fields = list(d.PathChanges[i].Fields)
	}
	d.Hops = slices.Clone(list(d.Hops))
	for i := range d.Hops {
		h := &d.Hops[i]
		h.Probes = slices.Clone(list(h.Probes))
		for k := range h.Probes {
			if as := h.Probes[k].AS; as != nil {
				whole := *as
				whole.Origins = list(whole.Origins)
				h.Probes[k].AS = &whole
			}
			if r := h.Probes[k].Reply; r != nil {
				h.Probes[k].Reply = completeReply(*r)
			}
		}
	}
	return d
}

func completeReply(r Reply) *Reply {
	r.TCPFlags, r.Rewritten, r.Anomalies = list(r.TCPFlags), list(r.Rewritten), list(r.Anomalies)
	r.QuoteChanges = list(r.QuoteChanges)
	if r.Extensions != nil {
		e := *r.Extensions
		e.Objects = slices.Clone(list(e.Objects))
		for i := range e.Objects {
			e.Objects[i].MPLS = list(e.Objects[i].MPLS)
		}
		r.Extensions = &e
	}
	return &r
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}
