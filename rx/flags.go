package rx

import (
	"math/bits"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// flags compares the quote with the probe it was matched to, field by field, as
// far as the table remembers the probe. sum is what is known of its checksum.
func (e *entry) flags(q *frame.Quote, sum anomaly.Flag) anomaly.Flag {
	f := sum
	if q.TTL != 1 {
		f |= anomaly.TTL
	}
	if d := q.TOS ^ e.tos; d != 0 {
		if d>>2 != 0 {
			f |= anomaly.DSCP
		}
		if d&3 != 0 {
			f |= anomaly.ECN
		}
	}
	switch {
	case q.Src.Is4() == e.v6:
		f |= anomaly.Translated
	case e.v6:
		if q.Label != e.label {
			f |= anomaly.Label
		}
	default:
		f |= e.flags4(q)
	}
	if f&anomaly.Translated == 0 && e.size != 0 && q.Length != int(e.size) {
		f |= e.lengthFlag(q.Length)
	}
	if e.unsummed && q.Checksum != 0 && e.method != frame.TCP {
		f |= anomaly.Checksum
	}
	return f
}

func (e *entry) flags4(q *frame.Quote) anomaly.Flag {
	var f anomaly.Flag
	switch q.ID {
	case e.id:
	case 0:
		f |= anomaly.IDZero
	case bits.ReverseBytes16(e.id):
		f |= anomaly.IDSwapped
	case e.id + 1:
		f |= anomaly.IDPlusOne
	default:
		f |= anomaly.ID
	}
	if q.DF != e.df {
		f |= anomaly.FragmentBits
	}
	return f
}

func (e *entry) lengthFlag(quoted int) anomaly.Flag {
	fixed, counted := 20, 0 // the header, and what of it the field does not count
	if e.v6 {
		fixed, counted = 40, 40
	}
	switch int(e.size) {
	case int(bits.ReverseBytes16(uint16(quoted-counted))) + counted:
		return anomaly.LengthSwapped
	case quoted + fixed:
		return anomaly.LengthShort
	}
	return anomaly.Length
}

// changed adds the flags of what only rare rules let differ.
func (e *entry) changed(q *frame.Quote, have Evidence) anomaly.Flag {
	var f anomaly.Flag
	if have&OtherVersion == 0 && q.Src != e.src {
		f |= anomaly.Source
	}
	if have&Destination == 0 {
		f |= anomaly.Destination
	}
	switch {
	case have&Later != 0:
		return f | anomaly.Fragment
	case have&Short != 0:
		return f | anomaly.Truncated
	}
	if have&SourcePort == 0 {
		f |= anomaly.SourcePort
	}
	if have&DestinationPort == 0 {
		if e.method == frame.ICMP {
			f |= anomaly.ICMPSequence
		} else {
			f |= anomaly.DestinationPort
		}
	}
	if e.method == frame.TCP && q.Seq != e.seq {
		f |= anomaly.TCPSequence
	}
	if e.marked && q.Transport >= markEnd && q.Mark != e.mark {
		f |= anomaly.Payload
	}
	return f
}

// replyFlags tells what is odd about the reply itself.
func replyFlags(r *frame.Reply, dst *entry) anomaly.Flag {
	var f anomaly.Flag
	if r.Ext != nil {
		f |= anomaly.Extensions(r.Ext, r.ExtCompliant)
	}
	if r.Kind == frame.KindTimeExceeded && r.From == dst.dst {
		f |= anomaly.FromTarget
	}
	return f
}

// forms are the verdicts on first replies by the flags that lead to them, in
// the order in which they count.
var forms = [...]struct {
	flags   anomaly.Flag
	verdict Verdict
}{
	{anomaly.Encapsulated, Encapsulated},
	{anomaly.Translated, Translated},
	{anomaly.Fragment, Fragment},
	{anomaly.Truncated, Truncated},
	{anomaly.Rewrites, Rewritten},
}

// firstVerdict is the verdict on the first reply to a probe in flight.
func firstVerdict(f anomaly.Flag) Verdict {
	for i := range forms {
		if f&forms[i].flags != 0 {
			return forms[i].verdict
		}
	}
	return Exact
}
