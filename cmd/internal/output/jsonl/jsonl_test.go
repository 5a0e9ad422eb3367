package jsonl

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

// An answer has what its protocol has, and nothing of another's.
func TestAnswers(t *testing.T) {
	for method, want := range map[frame.Method]struct {
		kind      string
		icmp, tcp bool
		code      uint8
	}{
		frame.UDP: {"unreachable", true, false, 3}, frame.ICMP: {"echo_reply", true, false, 0}, frame.TCP: {"tcp", false, true, 0},
	} {
		var b bytes.Buffer
		if err := sample.Write(Kind, &b, method); err != nil {
			t.Fatal(err)
		}
		var trace Trace
		if err := json.NewDecoder(&b).Decode(&trace); err != nil {
			t.Fatal(err)
		}
		r := trace.Replies[len(trace.Replies)-1]
		if r.Kind != want.kind || (r.ICMPType != nil) != want.icmp || (r.ICMPCode != nil) != want.icmp || (r.TCPFlags != nil) != want.tcp {
			t.Errorf("%v: %+v", method, r)
		}
		if want.icmp && r.ICMPCode != nil && *r.ICMPCode != want.code {
			t.Errorf("%v: code %d, want %d", method, *r.ICMPCode, want.code)
		}
	}
}
