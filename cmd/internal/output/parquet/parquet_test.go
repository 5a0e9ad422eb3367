package parquet

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

func TestRowsReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := sample.Write(Kind, &b, frame.UDP); err != nil {
		t.Fatal(err)
	}
	got, err := parquetgo.Read[Row](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := Row{
		Target: "198.51.100.7", TTL: 2, SrcPort: 40000, Responder: "203.0.113.2",
		Received: sample.Start.UnixNano() + 22e6, RTT: 2e6, Verdict: "rewritten", Rewritten: "dscp",
		Kind: "time_exceeded", ICMPType: some(11), ICMPCode: some(0), ReplyTTL: 63, ReplyTOS: 192,
		ReplyID: some(5002), ReplyBytes: 180, QuotedBytes: some(44), QuotedTTL: some(3), QuotedTOS: some(8),
		MPLS: []Label{{100, 1, false, 9}, {200, 0, true, 8}},
	}
	if len(got) != 6 {
		t.Fatalf("%d rows, want 6", len(got))
	}
	if diff := cmp.Diff(want, got[3]); diff != "" {
		t.Errorf("a router with labels (-want +got)\n%s", diff)
	}
	if got[5].ReplyID != nil || got[5].TCPFlags != nil {
		t.Errorf("an IPv6 reply has an identification or TCP flags: %+v", got[5])
	}
}

// TestManyRowGroups writes more than is held in memory at a time.
func TestManyRowGroups(t *testing.T) {
	var b bytes.Buffer
	w, err := Kind.New(&b, sample.Run(frame.UDP))
	if err != nil {
		t.Fatal(err)
	}
	const rows = rowsPerGroup + rowsPerWrite + 1
	r := sample.Traces(frame.UDP)[0].Replies[0]
	for i := range rows {
		r.ID = uint16(i)
		if err := w.(*writer).Reply(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(sample.End()); err != nil {
		t.Fatal(err)
	}
	file, err := parquetgo.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.RowGroups()); n != 2 || file.NumRows() != rows {
		t.Errorf("%d rows in %d groups, want %d in 2", file.NumRows(), n, rows)
	}
}
