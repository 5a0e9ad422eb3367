package trace

import (
	"errors"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// writeJSON writes the document of the run, however it ended.
func (r *run) writeJSON(err error) error {
	facts := jsonout.Facts{
		Program: "hopquote", Version: option.Version, CommandLine: r.argv,
		Name: r.opts.Host, Target: r.opts.Addr, Source: r.envelope.Src, Interface: r.envelope.Interface.Name,
		Method: methodName(r.opts), Options: r.jsonOptions(),
		Start: r.start, End: time.Now(), Stop: r.stopReason(err),
		Counts: r.counts, KernelDrops: r.drops,
	}
	if facts.Stop == jsonout.Failed {
		facts.Err = err
	}
	if r.names != nil {
		facts.Names = r.names
	}
	if r.origins != nil {
		facts.OriginSource, facts.Origins = r.origins.Name(), &listed{r}
	}
	var records []hops.Record
	if r.hops != nil {
		records = r.hops.Records()
	}
	if r.quotes != nil {
		facts.QuoteChanges, facts.PathChanges = r.quoteChanges(records)
	}
	return jsonout.Write(r.std.Out, jsonout.Build(facts, records))
}

// listed gives the origins for the document, and keeps the first error.
type listed struct{ r *run }

func (l *listed) Lookup(a netip.Addr) (asn.Result, error) {
	result, err := l.r.origins.Lookup(a)
	if err != nil && l.r.serverErr == nil {
		l.r.serverErr = err
	}
	return result, err
}

// methodName is the method as documents name it.
func methodName(o *option.Options) string {
	if o.Method == "default" {
		return "udp"
	}
	return o.Method
}

func (r *run) stopReason(err error) jsonout.StopReason {
	var sig signalled
	switch {
	case errors.As(err, &sig):
		return jsonout.Interrupted
	case err != nil:
		return jsonout.Failed
	case r.hops.Reached():
		return jsonout.Reached
	case r.hops.Stopped():
		return jsonout.Unreachable
	}
	return jsonout.MaxHops
}

// jsonOptions lists the options in effect.
func (r *run) jsonOptions() jsonout.Options {
	o := r.opts
	d := jsonout.Options{
		FirstTTL: o.First, MaxTTL: o.Max, Queries: o.Queries, Window: o.Sim,
		WaitNS: option.Duration(o.Wait.Max).Nanoseconds(), WaitHere: o.Wait.Here, WaitNear: o.Wait.Near,
		GapNS: option.Duration(o.SendWait).Nanoseconds(), SizeBytes: r.size,
		TOS: int(r.tos), DontFragment: o.DontFragment, Numeric: o.Numeric, Quotes: o.Quotes,
	}
	if r.method.HasPorts() {
		port := int(firstPort(o))
		d.DestinationPort = &port
	}
	if r.method == frame.Raw {
		protocol := int(o.Protocol)
		d.Protocol = &protocol
	}
	for i := range o.Route.Gateways() {
		d.Gateways = append(d.Gateways, o.Route.Gateway(i))
	}
	if o.SourcePort != 0 {
		port := int(o.SourcePort)
		d.SourcePort = &port
	}
	return d
}
