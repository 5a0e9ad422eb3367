package jsonout

import (
	"encoding/hex"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/scheduler/hops"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/text"
)

var outcomes = map[hops.Outcome]string{
	hops.Open: "in_flight", hops.Lost: "lost", hops.Hop: "hop",
	hops.Arrived: "arrived", hops.Refused: "refused", hops.TooBig: "too_big",
}

var roles = [...]string{
	frame.RoleIncoming: "incoming", frame.RoleIncomingSub: "incoming_sub",
	frame.RoleOutgoing: "outgoing", frame.RoleNextHop: "next_hop",
}

func probe(r *hops.Record, f *Facts) Probe {
	p, a := &r.Probe, &r.Answer
	echo, ports := p.Method == frame.ICMP, p.Method.HasPorts()
	out := Probe{
		Query: r.Query, SizeBytes: p.Size,
		SourcePort: number(p.SrcPort, ports), DestinationPort: number(p.DstPort, ports),
		EchoID: number(p.SrcPort, echo), EchoSequence: number(uint16(p.Seq), echo),
		TCPSequence: known(p.Seq, p.Method == frame.TCP),
		IPID:        number(p.ID, !p.IsIPv6()), FlowLabel: known(p.Label, p.IsIPv6()),
		Sends: r.Sends, SentOffsetNS: r.SentAt.Nanoseconds(),
		Outcome: outcomes[r.Outcome], Note: text.Note(r.Outcome, *a),
		ShrunkToBytes: known(r.Shrunk, r.Shrunk != 0), ShrunkByProbing: known(r.Probed, r.Shrunk != 0),
		PrintedTTL: known(r.ShownTTL, r.ShownTTL != 0),
		Duplicates: r.Duplicates, LateReplies: r.LateReplies,
	}
	if out.Note == "" {
		out.Note = text.SizeNote(r.Shrunk, r.Probed)
	}
	if r.Outcome <= hops.Lost {
		return out
	}
	out.Responder, out.ResponderName = address(a.From), responderName(a.From, f.Names)
	out.AS = origins(a.From, f)
	out.RTTNS = known(a.RTT.Nanoseconds(), true)
	out.Reply = reply(a)
	out.Reply.QuoteChanges = quoteChanges(f.QuoteChanges[r.Tag])
	return out
}

// responderName asks for a name, and takes the address's own text for none.
func responderName(a netip.Addr, names text.Names) *string {
	if names == nil || !a.IsValid() {
		return nil
	}
	name := names.Name(a)
	return known(name, name != a.String())
}

// origins asks who announces a responder's address.
func origins(a netip.Addr, f *Facts) *AS {
	if f.Origins == nil || !a.IsValid() {
		return nil
	}
	r, err := f.Origins.Lookup(a)
	if err != nil {
		r = asn.Result{Failed: true}
	}
	return &AS{Origins: r.Origins, Prefix: known(r.Prefix, r.Prefix.IsValid()), Source: f.OriginSource, Failed: r.Failed}
}

func reply(a *hops.Answer) *Reply {
	packet := a.From.IsValid()
	icmp := packet && (!a.Kind.IsAnswer() || a.Kind == frame.KindEchoReply)
	out := &Reply{
		ReceivedOffsetNS: a.At.Nanoseconds(), Local: a.Local, Kind: record.KindName(a.Kind),
		Verdict: a.Verdict.String(), Rule: word(a.Rule.String()), Anomalies: words(a.Anomalies),
		ICMPType: number(a.Type, icmp), ICMPCode: number(a.Code, icmp),
		TTL: number(a.TTL, packet), TOS: number(a.TOS, packet),
		IPID: number(a.ID, packet && a.From.Is4()), SizeBytes: number(a.Size, packet),
		NextHopMTUBytes: known(a.MTU, a.Kind == frame.KindTooBig),
		Quote:           quote(&a.Quote), Extensions: extensions(a.Ext, a.ExtCompliant),
	}
	if a.Kind == frame.KindTCP {
		out.TCPFlags = text.Flags(a.Flags)
	}
	out.Rewritten = words(a.Anomalies & anomaly.Rewrites)
	return out
}

// words names anomalies in the schema's spelling.
func words(f anomaly.Flag) []string {
	var list []string
	for _, n := range f.Names() {
		list = append(list, word(n))
	}
	return list
}

func quote(q *hops.QuoteSummary) *Quote {
	if q.Bytes == 0 {
		return nil
	}
	return &Quote{
		QuotedBytes: q.Bytes, LengthBytes: q.Length, TTL: int(q.TTL), TOS: int(q.TOS),
		IPID: number(q.ID, q.Src.Is4()), Source: address(q.Src), Destination: address(q.Dst),
	}
}

func extensions(ext []byte, compliant bool) *Extensions {
	if ext == nil {
		return nil
	}
	out := &Extensions{Hex: hex.EncodeToString(ext), Valid: frame.Valid(ext) == nil, Compliant: compliant}
	if !out.Valid {
		return out
	}
	walk := frame.Objects(ext)
	for o, ok := walk.Next(); ok; o, ok = walk.Next() {
		out.Objects = append(out.Objects, object(o))
	}
	return out
}

func object(o frame.Object) Object {
	out := Object{Class: int(o.Class), Type: int(o.Type), DataHex: hex.EncodeToString(o.Data)}
	if i, ok := frame.InterfaceOf(o); ok {
		out.Interface = &Interface{
			Role: roles[i.Role], Index: known(i.Index, i.HasIndex), Address: address(i.Addr),
			Name: known(string(i.Name), i.Name != nil), MTUBytes: known(i.MTU, i.HasMTU),
		}
	}
	if o.Class != frame.ClassMPLS || o.Type != frame.TypeMPLSIncoming {
		return out
	}
	stack := frame.Labels(o.Data)
	for e, ok := stack.Next(); ok; e, ok = stack.Next() {
		out.MPLS = append(out.MPLS, Label{Label: e.Label, Exp: int(e.Exp), Bottom: e.Bottom, TTL: int(e.TTL)})
	}
	return out
}
