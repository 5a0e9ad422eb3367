package replies

import (
	"bytes"
	"io"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

func samples() []record.Reply {
	return []record.Reply{
		{
			Target: netip.MustParseAddr("20.0.0.1"), TTL: 3, From: netip.MustParseAddr("100.64.1.2"), RTT: 1234567, Verdict: rx.Exact,
			Kind: frame.KindTimeExceeded, Type: 11, TTLBack: 253, Quoted: 28, QuoteTTL: 1,
		},
		{
			Target: netip.MustParseAddr("2600::1"), TTL: 16, Flow: 2, Attempt: 1, From: netip.MustParseAddr("2600::1"), RTT: 5,
			Verdict: rx.Duplicate, Kind: frame.KindEchoReply, Type: 129, TTLBack: 49,
		},
		{Target: netip.MustParseAddr("20.0.0.1"), TTL: 9, From: netip.MustParseAddr("20.0.0.1"), RTT: 1000, Verdict: rx.Exact, Kind: frame.KindTCP, Flags: frame.FlagRST, TTLBack: 64},
		{Target: netip.MustParseAddr("20.0.0.1"), TTL: 255, From: netip.MustParseAddr("20.0.0.1"), RTT: 1000, Verdict: rx.Late, Kind: frame.KindUnreachable, Type: 3, Code: 3},
	}
}

func TestLines(t *testing.T) {
	var got bytes.Buffer
	w, err := Kind.New(&got, &record.Run{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range samples() {
		if err := w.(record.ReplyWriter).Reply(&r); err != nil {
			t.Fatal(err)
		}
	}
	want := header + "20.0.0.1,3,0,0,100.64.1.2,1234.567,time_exceeded,11,0,253,1,exact\n" +
		"2600::1,16,2,1,2600::1,0.005,echo_reply,129,0,49,,duplicate\n" +
		"20.0.0.1,9,0,0,20.0.0.1,1.000,tcp,,,64,,exact\n" +
		"20.0.0.1,255,0,0,20.0.0.1,1.000,unreachable,3,3,0,,late\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAllocs(t *testing.T) {
	w, err := Kind.New(io.Discard, &record.Run{})
	if err != nil {
		t.Fatal(err)
	}
	r := &samples()[0]
	if n := testing.AllocsPerRun(100, func() { _ = w.(record.ReplyWriter).Reply(r) }); n != 0 {
		t.Errorf("%v allocations for a line", n)
	}
}

func BenchmarkReply(b *testing.B) {
	w, err := Kind.New(io.Discard, &record.Run{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	r := &samples()[0]
	for b.Loop() {
		_ = w.(record.ReplyWriter).Reply(r)
	}
}
