package survey

import (
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/replies"
)

// kinds are the output formats that there are.
var kinds = []record.Kind{jsonl.Kind, replies.Kind}

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
