package survey

import (
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

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}
