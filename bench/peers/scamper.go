package peers

import (
	"encoding/json"

	"github.com/hopquote/hopquote/bench/contest"
)

// Scamper refuses to be asked for more than 10,000 probes a second.
func scamper() tool {
	return tool{binary: "scamper", debian: "scamper", Contender: contest.Contender{
		Name:    "scamper",
		Command: `scamper -p 10000 -O json -o {output} -c "trace -P udp-paris -q 1 -w 1 -m 20" -f {targets}`,
		Cap:     10_000, Count: countScamper,
	}}
}

// countScamper counts the hops of the traces, one JSON object a line.
func countScamper(r contest.Run) (t contest.Tally, err error) {
	var bad error
	err = r.EachLine(func(line string) {
		var trace struct {
			Type string            `json:"type"`
			Hops []json.RawMessage `json:"hops"`
		}
		if line == "" {
			return
		}
		if err := json.Unmarshal([]byte(line), &trace); err != nil {
			bad = err
			return
		}
		if trace.Type == "trace" {
			t.Records += uint64(len(trace.Hops))
		}
	})
	if err == nil {
		err = bad
	}
	return t, err
}
