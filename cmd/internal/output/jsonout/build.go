package jsonout

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
	"github.com/hopquote/hopquote/scheduler/hops"

	"github.com/hopquote/hopquote/cmd/internal/output/text"
)

// Facts is what is known of a run besides its probes. What is not known stays
// zero.
type Facts struct {
	Program     string
	Version     string
	CommandLine []string
	Name        string // the target as typed
	Target      netip.Addr
	Source      netip.Addr
	Interface   string
	Method      string // as of the command line, default being udp
	Options     Options
	Start       time.Time // the wall time of the run's epoch
	End         time.Time
	Stop        StopReason
	Err         error // makes Stop Failed
	Counts      rx.Counts
	KernelDrops uint64
	// Names gives the names of responders; nil leaves them out. Its answer
	// for an address without a name is the address's own text.
	Names text.Names
	// Origins tells who announces the responders' addresses, and OriginSource
	// how it knows; nil leaves them out. An error counts as a failed look-up.
	Origins      text.Origins
	OriginSource string
	// QuoteChanges is what changed in the quotes, by the records' tags, and
	// PathChanges where on the path: both nil without --quotes.
	QuoteChanges map[int][]onpath.Change
	PathChanges  []onpath.Finding
}

// timeForm is RFC 3339 with all nine decimals, so that texts sort by time.
const timeForm = "2006-01-02T15:04:05.000000000Z07:00"

// Build makes the document of a run. The records may come in any order.
func Build(f Facts, records []hops.Record) Document {
	d := Document{
		Schema: Schema, Program: f.Program, Version: f.Version, CommandLine: f.CommandLine,
		Target: Target{Name: f.Name, Address: address(f.Target)},
		Source: address(f.Source), Interface: known(f.Interface, f.Interface != ""),
		Method: f.Method, Options: f.Options,
		Start: f.Start.UTC().Format(timeForm), End: f.End.UTC().Format(timeForm),
		StopReason: f.Stop, Counts: counts(f.Counts, f.KernelDrops),
		PathChanges: pathChanges(f.PathChanges),
	}
	if f.Err != nil {
		d.StopReason, d.Error = Failed, known(f.Err.Error(), true)
	}
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b hops.Record) int {
		if a.TTL != b.TTL {
			return a.TTL - b.TTL
		}
		return a.Query - b.Query
	})
	for i := range sorted {
		r := &sorted[i]
		if n := len(d.Hops); n == 0 || d.Hops[n-1].TTL != r.TTL {
			d.Hops = append(d.Hops, Hop{TTL: r.TTL})
		}
		hop := &d.Hops[len(d.Hops)-1]
		hop.Probes = append(hop.Probes, probe(r, &f))
	}
	return d
}

func counts(c rx.Counts, drops uint64) Counts {
	out := Counts{
		Sent: c.Sent, Answered: c.Answered, Expired: c.Expired, InFlight: c.InFlight,
		Received: c.Received, Matched: c.Matched, Duplicate: c.Duplicate, Late: c.Late,
		Stray: c.Strays(), KernelDrops: drops,
	}
	for reason, n := range c.Stray {
		if n > 0 {
			out.StrayReasons = append(out.StrayReasons, StrayReason{word(rx.Reason(reason).String()), n})
		}
	}
	for verdict, n := range c.Verdicts {
		if n > 0 {
			out.Verdicts = append(out.Verdicts, VerdictCount{word(rx.Verdict(verdict).String()), n})
		}
	}
	return out
}

// word turns a name of the engine into the schema's spelling.
func word(s string) string { return strings.ReplaceAll(s, "-", "_") }

// known gives v, or null.
func known[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// number gives v as a number of the schema, or null.
func number[T uint8 | uint16 | uint32 | int](v T, ok bool) *int { return known(int(v), ok) }

func address(a netip.Addr) *netip.Addr { return known(a, a.IsValid()) }
