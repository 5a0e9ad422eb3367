package survey

import (
	"fmt"
	"io"

	"github.com/hopquote/hopquote/cmd/internal/output/atlas"
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/caracal"
	"github.com/hopquote/hopquote/cmd/internal/output/csv"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/replies"
	"github.com/hopquote/hopquote/cmd/internal/output/scamper"
)

// kinds are the output formats that there are.
var kinds = []record.Kind{
	jsonl.Kind, replies.Kind, csv.Kind, scamper.JSON, scamper.Warts, atlas.Kind, caracal.Kind, parquet.Kind, capture.Kind,
}

func kindNamed(name string) (record.Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return record.Kind{}, false
}

// maxRandomTraces is for how many probes of mode random, which knows no end of a
// trace, traces are put together: about a gigabyte of replies.
const maxRandomTraces = 1 << 22

// checkTraces refuses traces that would not fit into memory.
func (o *options) checkTraces(s surveyor) error {
	probes, _ := s.progress()
	if o.mode != "random" || probes <= maxRandomTraces {
		return nil
	}
	for _, t := range o.outputs {
		w, err := t.Kind.New(io.Discard, &record.Run{})
		if err != nil {
			continue
		}
		if _, ok := w.(record.TraceWriter); ok {
			return fmt.Errorf("--output %s: in mode random traces wait in memory for the end of the run, for %d probes at most, and these are %d: take mode full, or an output of replies",
				t.Kind.Name, maxRandomTraces, probes)
		}
	}
	return nil
}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}
