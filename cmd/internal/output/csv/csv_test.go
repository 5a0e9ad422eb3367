package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

func TestLines(t *testing.T) {
	for m, want := range map[frame.Method]string{
		frame.UDP:  "198.51.100.7,0,4,0,40000,198.51.100.7,1795317539253414,7000.000,exact,,unreachable,3,3,,61,0,77,72,44,1,0,,\n",
		frame.ICMP: "198.51.100.7,0,4,0,40000,198.51.100.7,1795317539253414,7000.000,exact,,echo_reply,0,0,,61,0,77,44,,,,,\n",
		frame.TCP:  "198.51.100.7,0,4,0,40000,198.51.100.7,1795317539253414,7000.000,exact,,tcp,,,18,61,0,77,44,,,,,\n",
	} {
		var b bytes.Buffer
		if err := sample.Write(Kind, &b, m); err != nil {
			t.Fatal(err)
		}
		want = Header +
			"198.51.100.7,0,1,0,40000,203.0.113.1,1795317539216953,539.000,exact,,time_exceeded,11,0,,64,192,5001,72,44,1,0,,\n" +
			"198.51.100.7,0,1,0,40000,203.0.113.1,1795317539217953,1539.000,duplicate,,time_exceeded,11,0,,64,192,5001,72,44,1,0,,\n" +
			"198.51.100.7,0,1,0,40000,203.0.113.1,1795317541206414,1990000.000,late,,time_exceeded,11,0,,64,192,5001,72,44,1,0,,\n" +
			"198.51.100.7,0,2,0,40000,203.0.113.2,1795317539228414,2000.000,rewritten,dscp,time_exceeded,11,0,,63,192,5002,180,44,3,8,,100:1:0:9 200:0:1:8\n" +
			want +
			"2001:db8:7::7,0,2,0,40000,2001:db8:2::2,1795317539266414,5000.000,exact,,unreachable,1,1,,63,192,,112,64,1,0,,\n"
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", m, diff)
		}
		// The reader takes a row with another number of columns for an error.
		if _, err := stdcsv.NewReader(&b).ReadAll(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}

// TestReplyAllocatesNothing is about the usual reply, without rewritten fields.
func TestReplyAllocatesNothing(t *testing.T) {
	w, err := Kind.New(&bytes.Buffer{}, sample.Run(frame.UDP))
	if err != nil {
		t.Fatal(err)
	}
	c := w.(*writer)
	c.w = discard{}
	r := &sample.Traces(frame.UDP)[0].Replies[0]
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Reply(r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
