package scamper

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

// A next hop's MTU has the name in JSON that readers look for, and arrives by
// warts.
func TestNextHopMTU(t *testing.T) {
	for _, kind := range []record.Kind{JSON, Warts} {
		trace := sample.Traces(frame.UDP)[0]
		for i := range trace.Replies {
			r := &trace.Replies[i]
			r.Kind, r.Type, r.Code, r.MTU = frame.KindTooBig, 3, 4, 1400
		}
		var b bytes.Buffer
		w, err := kind.New(&b, sample.Run(frame.UDP))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.(record.TraceWriter).Trace(&trace), w.Close(sample.End())); err != nil {
			t.Fatal(err)
		}
		text := b.Bytes()
		if kind.Name == Warts.Name {
			tool, err := exec.LookPath("sc_warts2json")
			if err != nil {
				continue
			}
			file := filepath.Join(t.TempDir(), "out.warts")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if text, err = exec.Command(tool, file).Output(); err != nil {
				t.Fatalf("sc_warts2json: %v", err)
			}
			// Its own JSON has a slip of the pen in the name.
			text = bytes.ReplaceAll(text, []byte(`"icmp_nhmtu:":`), []byte(`"icmp_nhmtu":`))
		}
		for _, v := range lines(t, text) {
			hops, _ := v["hops"].([]any)
			if v["type"] == "trace" && (len(hops) == 0 || hops[0].(map[string]any)["icmp_nhmtu"] != 1400.0) {
				t.Errorf("%s: hops %v", kind.Name, hops)
			}
		}
	}
}
