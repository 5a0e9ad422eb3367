package text

import (
	"fmt"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/lbl"
)

// letters are the remarks for the codes of destination unreachable, RFC 792,
// 1122 and 1812. Code 3 is an arrival, code 4 carries an MTU.
var letters = [...]string{
	0: "N", 1: "H", 2: "P", 5: "S", 6: "U", 7: "W", 8: "I", 9: "A", 10: "Z", 11: "Q", 12: "T", 13: "X", 14: "V", 15: "C",
}

const (
	codeProtocol = 2 // RFC 792
	// lowTTL is the greatest TTL that tells on a target which answers with
	// what is left of the probe's TTL.
	lowTTL = 1
)

// Note gives the remark behind a probe's time, with the blank before it, or
// "".
func Note(o lbl.Outcome, a *lbl.Answer) string {
	switch {
	case o == lbl.Arrived && a.Kind == frame.KindUnreachable && a.Code == codeProtocol:
		return " !P"
	case o == lbl.Arrived && a.TTL <= lowTTL:
		return " !"
	case o != lbl.Refused:
		return ""
	case a.Kind == frame.KindTooBig:
		return fmt.Sprintf(" !F-%d", a.MTU)
	case int(a.Code) < len(letters) && letters[a.Code] != "":
		return " !" + letters[a.Code]
	}
	return fmt.Sprintf(" !<%d>", a.Code)
}
