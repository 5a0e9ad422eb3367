package main

import (
	"fmt"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// 42 to 49 and 94: what is made of the errors that routers send.
func TestConformanceMeanings(t *testing.T) {
	t.Parallel()
	const v4, v6 = "192.168.120.20", "fd00:120::20"
	var rows []meaning
	for code := range 16 {
		if code != 4 {
			rows = append(rows, meaning{v4, frame.ErrorMessage{Type: 3, Code: uint8(code)}, ""})
		}
	}
	rows = append(rows,
		meaning{v4, frame.ErrorMessage{Type: 12}, ""},
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 13}, "-I"},
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 13}, "-T"},
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 4, Rest: 1400}, "-F"},
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 4, Rest: 1400}, "-I"},
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 4, Rest: 1500}, "-T"}, // less would be remembered
		meaning{v4, frame.ErrorMessage{Type: 3, Code: 4}, "-F"},
		meaning{v4, frame.ErrorMessage{Type: 4}, ""},
		meaning{v6, frame.ErrorMessage{Type: 2, Rest: 1400}, ""},
		meaning{v6, frame.ErrorMessage{Type: 3, Code: 1}, ""},
		meaning{v6, frame.ErrorMessage{Type: 4, Code: 1}, ""},
		meaning{v6, frame.ErrorMessage{Type: 1, Code: 1}, "-I"},
		meaning{v6, frame.ErrorMessage{Type: 1, Code: 1}, "-T"},
	)
	for code := range 8 {
		rows = append(rows, meaning{v6, frame.ErrorMessage{Type: 1, Code: uint8(code)}, ""})
	}
	for _, m := range rows {
		t.Run(fmt.Sprintf("%s %d-%d mtu %d %s", m.dst, m.Type, m.Code, m.Rest, m.method), func(t *testing.T) {
			n, w := openLine(t)
			if m.dst == v6 && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			answerWith(t, n, m.ErrorMessage)
			w.compare(t, comparison{args: fmt.Sprintf("-n -q2 -m4 -w0.5 %s %s", m.method, m.dst)})
		})
	}
}

// meaning is one error for one method.
type meaning struct {
	dst string
	frame.ErrorMessage
	method string
}
