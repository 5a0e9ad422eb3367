package peers

import (
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
)

// countCaracal counts the lines of its CSV form but for the head.
func countCaracal(r contest.Run) (t contest.Tally, err error) {
	err = r.EachLine(func(line string) {
		if line != "" && !strings.HasPrefix(line, "capture_timestamp") {
			t.Records++
		}
	})
	return t, err
}
