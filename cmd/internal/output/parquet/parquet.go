// Package parquet writes replies as the rows of an Apache Parquet file. It is a
// room of its own so that who wants no Parquet need not link it.
package parquet

import (
	"io"
	"strings"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Kind is the format. A Parquet file has its index at the end, so that one that
// was cut short can't be read: what goes to a file goes to several of them, each
// whole from the moment it is there.
var Kind = record.Kind{Name: "parquet", Help: "Apache Parquet, one row per reply", New: newWriter, Files: newParts}

// Row is a reply as a row. Addresses are text; what a reply does not have is
// null.
type Row struct {
	Target      string  `parquet:"target,dict"`
	Flow        uint32  `parquet:"flow"`
	TTL         uint32  `parquet:"ttl"`
	Attempt     uint32  `parquet:"attempt"`
	SrcPort     uint32  `parquet:"source_port"`
	Responder   string  `parquet:"responder,dict"`
	Received    int64   `parquet:"received,timestamp(nanosecond),delta"`
	RTT         int64   `parquet:"rtt_ns"`
	Verdict     string  `parquet:"verdict,dict"`
	Rewritten   string  `parquet:"rewritten,dict"`
	Kind        string  `parquet:"kind,dict"`
	ICMPType    *uint32 `parquet:"icmp_type,optional"`
	ICMPCode    *uint32 `parquet:"icmp_code,optional"`
	TCPFlags    *uint32 `parquet:"tcp_flags,optional"`
	ReplyTTL    uint32  `parquet:"reply_ttl"`
	ReplyTOS    uint32  `parquet:"reply_tos"`
	ReplyID     *uint32 `parquet:"reply_ip_id,optional"`
	ReplyBytes  uint32  `parquet:"reply_bytes"`
	QuotedBytes *uint32 `parquet:"quoted_bytes,optional"`
	QuotedTTL   *uint32 `parquet:"quoted_ttl,optional"`
	QuotedTOS   *uint32 `parquet:"quoted_tos,optional"`
	NextHopMTU  *uint32 `parquet:"next_hop_mtu,optional"`
	MPLS        []Label `parquet:"mpls,list"`
}

// Label is an entry of an MPLS label stack.
type Label struct {
	Label  uint32 `parquet:"label"`
	Exp    uint32 `parquet:"exp"`
	Bottom bool   `parquet:"bottom"`
	TTL    uint32 `parquet:"ttl"`
}

// rowsPerGroup bounds what is held in memory, some tens of megabytes.
const rowsPerGroup = 1 << 17

// rowsPerWrite is how many rows are handed over at a time.
const rowsPerWrite = 1 << 10

type writer struct {
	out   *parquetgo.GenericWriter[Row]
	rows  []Row
	epoch epoch
}

// epoch is time zero of a run, in nanoseconds.
type epoch int64

func newWriter(w io.Writer, run *record.Run) (record.Writer, error) {
	return &writer{out: newFile(w, run), rows: make([]Row, 0, rowsPerWrite), epoch: epoch(run.Start.UnixNano())}, nil
}

func newFile(w io.Writer, run *record.Run) *parquetgo.GenericWriter[Row] {
	return parquetgo.NewGenericWriter[Row](w,
		parquetgo.Compression(&parquetgo.Zstd), parquetgo.MaxRowsPerRowGroup(rowsPerGroup),
		parquetgo.CreatedBy(run.Program, run.Version, ""))
}

func (p *writer) Reply(r *record.Reply) error {
	p.rows = append(p.rows, p.epoch.row(r))
	if len(p.rows) < cap(p.rows) {
		return nil
	}
	return p.flush()
}

func (p *writer) flush() error {
	_, err := p.out.Write(p.rows)
	p.rows = p.rows[:0]
	return err
}

func (p *writer) Close(*record.End) error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.out.Close()
}

func (e epoch) row(r *record.Reply) Row {
	row := Row{
		Target: r.Target.String(), Flow: uint32(r.Flow), TTL: uint32(r.TTL), Attempt: uint32(r.Attempt),
		SrcPort: uint32(r.SrcPort), Responder: r.From.String(), Received: int64(e) + int64(r.At), RTT: int64(r.RTT),
		Verdict: r.Verdict.String(), Kind: record.KindName(r.Kind), ReplyTTL: uint32(r.TTLBack),
		ReplyTOS: uint32(r.TOSBack), ReplyBytes: uint32(r.Size), MPLS: labels(r),
	}
	row.Rewritten = strings.Join(r.Rewritten(), ",")
	if r.Kind.IsError() || r.Kind == frame.KindEchoReply {
		row.ICMPType, row.ICMPCode = some(r.Type), some(r.Code)
	}
	if r.Kind == frame.KindTCP {
		row.TCPFlags = some(r.Flags)
	}
	if r.From.Is4() {
		row.ReplyID = some(r.ID)
	}
	if r.Kind.IsError() && r.Quoted > 0 {
		row.QuotedBytes, row.QuotedTTL, row.QuotedTOS = some(r.Quoted), some(r.QuoteTTL), some(r.QuoteTOS)
	}
	if r.Kind == frame.KindTooBig {
		row.NextHopMTU = some(r.MTU)
	}
	return row
}

func some[T uint8 | uint16 | uint32 | int](v T) *uint32 {
	n := uint32(v)
	return &n
}

func labels(r *record.Reply) []Label {
	var list []Label
	for l := range r.Labels {
		list = append(list, Label{l.Label, uint32(l.Exp), l.Bottom, uint32(l.TTL)})
	}
	return list
}
