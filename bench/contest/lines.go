package contest

import (
	"bufio"
	"os"
	"strings"
)

// Lines counts the lines of the output, of standard output where the command
// has no {output}. Empty ones and comments (#) do not count.
func Lines(r Run) (Tally, error) {
	var t Tally
	err := r.EachLine(func(line string) {
		if line != "" && line[0] != '#' {
			t.Records++
		}
	})
	return t, err
}

// maxLine is the longest line that is read, in bytes.
const maxLine = 16 << 20

// EachLine hands over the lines of the output, or of standard output, one by
// one and trimmed.
func (r *Run) EachLine(f func(line string)) error {
	path := r.Stdout
	if r.UsesOutput {
		path = r.Output
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		f(strings.TrimSpace(lines.Text()))
	}
	return lines.Err()
}
