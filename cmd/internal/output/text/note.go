package text

import (
	"strconv"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// ICMP types whose codes have notes of their own.
const (
	unreachableV4 = 3  // RFC 792
	unreachableV6 = 1  // RFC 4443 section 3.1
	inTransit     = 0  // time exceeded in transit, both families
	portV4        = 3  // RFC 792
	portV6        = 4  // RFC 4443 section 3.1
	lettersV4     = 16 // codes 0..15 of RFC 792, 1122 and 1812
	lettersV6     = 4  // codes 0..3
)

// The letters by code. Codes 3/3 and 3/4 never reach the table: the one is an
// arrival and the other carries an MTU.
var (
	notesV4 = [lettersV4]string{
		0: "!N", 1: "!H", 2: "!P", 5: "!S", 6: "!N", 7: "!H", 8: "!N", 9: "!X",
		10: "!X", 11: "!N", 12: "!H", 13: "!X", 14: "!V", 15: "!C",
	}
	notesV6 = [lettersV6]string{0: "!N", 1: "!X", 2: "!H", 3: "!H"}
)

// Note gives the remark printed behind a probe's time, "" for none: "!H" and
// its like for codes that have a letter, "!F-<mtu>", "!<code>" for other
// unreachables, "!<type-code>" for any other error.
func Note(o hops.Outcome, a hops.Answer) string {
	if o <= hops.Lost {
		return ""
	}
	if o == hops.TooBig || a.Kind == frame.KindTooBig {
		return "!F-" + strconv.FormatUint(uint64(a.MTU), 10)
	}
	switch {
	case a.Kind.IsAnswer():
		return ""
	case a.Kind == frame.KindTimeExceeded && a.Code == inTransit:
		return ""
	case a.Kind == frame.KindUnreachable && a.Type == unreachableV4:
		return unreachableNote(notesV4[:], portV4, a.Code)
	case a.Kind == frame.KindUnreachable && a.Type == unreachableV6:
		return unreachableNote(notesV6[:], portV6, a.Code)
	}
	return "!<" + strconv.Itoa(int(a.Type)) + "-" + strconv.Itoa(int(a.Code)) + ">"
}

func unreachableNote(letters []string, port, code uint8) string {
	if code == port {
		return ""
	}
	if int(code) < len(letters) && letters[code] != "" {
		return letters[code]
	}
	return "!<" + strconv.Itoa(int(code)) + ">"
}

// SizeNote gives the remark for a probe with which the probes became smaller:
// "F=<size>" when the size was told, "F~<size>" when it was found by probing,
// "" for size 0. Any other note takes its place.
func SizeNote(size uint32, probed bool) string {
	if size == 0 {
		return ""
	}
	mark := "F="
	if probed {
		mark = "F~"
	}
	return mark + strconv.FormatUint(uint64(size), 10)
}
