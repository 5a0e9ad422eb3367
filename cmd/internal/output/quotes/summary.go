package quotes

import (
	"fmt"

	"github.com/hopquote/hopquote/rx/anomaly/onpath"
)

// Summary gives the lines behind the last hop. quoting is how many hops quoted
// anything.
func Summary(findings []onpath.Finding, quoting int) []byte {
	switch {
	case quoting == 0:
		return []byte("path changes: no quotes to tell\n")
	case len(findings) == 0 && quoting == 1:
		return []byte("path changes: none in the quotes of 1 hop\n")
	case len(findings) == 0:
		return fmt.Appendf(nil, "path changes: none in the quotes of %d hops\n", quoting)
	}
	out := []byte("path changes:\n")
	for i := range findings {
		out = fmt.Appendf(out, "  %s\n", &findings[i])
	}
	return out
}
