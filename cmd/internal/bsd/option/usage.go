package option

import (
	"fmt"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/option"
)

const usageWidth = 80

// Usage is the text for a command line that can't be read.
func Usage() string {
	var flags strings.Builder
	var words []string
	for _, s := range table() {
		if s.value == "" {
			flags.WriteByte(s.letter)
			continue
		}
		words = append(words, fmt.Sprintf("[-%c %s]", s.letter, s.value))
	}
	words = append([]string{"[-" + flags.String() + "]"}, append(words, "host", "[packetlen]")...)

	var b strings.Builder
	fmt.Fprintf(&b, "Version %s (hopquote, BSD dialect)\n", option.Version)
	line := "Usage: traceroute"
	for _, w := range words {
		if len(line)+1+len(w) > usageWidth {
			b.WriteString(line + "\n")
			line = "       "
		}
		line += " " + w
	}
	b.WriteString(line + "\n")
	return b.String()
}
