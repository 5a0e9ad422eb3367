package atlas

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// reply is what came back for one probe, or that nothing did.
type reply struct {
	X     string          `json:"x,omitempty"`
	From  string          `json:"from,omitempty"`
	TTL   *uint8          `json:"ttl,omitempty"`
	Size  *int            `json:"size,omitempty"` // ICMP payload: quoted bytes of an error
	RTT   json.RawMessage `json:"rtt,omitempty"`
	ITTL  *uint8          `json:"ittl,omitempty"` // quoted TTL other than 1
	ITOS  uint8           `json:"itos,omitempty"`
	TOS   uint8           `json:"tos,omitempty"`
	Late  int             `json:"late,omitempty"`
	Dup   bool            `json:"dup,omitempty"`
	Err   any             `json:"err,omitempty"`
	MTU   uint32          `json:"mtu,omitempty"`
	Flags string          `json:"flags,omitempty"`
	Ext   *ext            `json:"icmpext,omitempty"`
}

type ext struct {
	Version uint8    `json:"version"`
	RFC4884 int      `json:"rfc4884"`
	Objects []object `json:"obj"`
}

type object struct {
	Class uint8   `json:"class"`
	Type  uint8   `json:"type"`
	MPLS  []label `json:"mpls,omitempty"`
}

type label struct {
	Label uint32 `json:"label"`
	Exp   uint8  `json:"exp"`
	S     int    `json:"s"`
	TTL   uint8  `json:"ttl"`
}

// hops groups a trace by TTL. Probes without an answer are shown where it is
// known that they were sent.
func hops(run *record.Run, t *record.Trace) []hop {
	list := []hop{}
	probes, replies := t.Probes, t.Replies
	for len(probes) > 0 || len(replies) > 0 {
		ttl, attempt := next(probes, replies)
		known := len(probes) > 0 && probes[0].TTL == ttl && probes[0].Attempt == attempt
		if len(list) == 0 || list[len(list)-1].Hop != ttl {
			list = append(list, hop{Hop: ttl})
		}
		h := &list[len(list)-1]
		n := 0
		for ; n < len(replies) && replies[n].TTL == ttl && replies[n].Attempt == attempt; n++ {
			h.Result = append(h.Result, newReply(run, t, &replies[n]))
		}
		if n == 0 {
			h.Result = append(h.Result, reply{X: "*"})
		}
		replies = replies[n:]
		if known {
			probes = probes[1:]
		}
	}
	return list
}

// next is the lowest TTL and attempt that is left.
func next(probes []record.Probe, replies []record.Reply) (ttl, attempt uint8) {
	if len(probes) == 0 {
		return replies[0].TTL, replies[0].Attempt
	}
	ttl, attempt = probes[0].TTL, probes[0].Attempt
	if len(replies) > 0 {
		if r := &replies[0]; r.TTL < ttl || r.TTL == ttl && r.Attempt < attempt {
			return r.TTL, r.Attempt
		}
	}
	return ttl, attempt
}

func newReply(run *record.Run, t *record.Trace, r *record.Reply) reply {
	out := reply{
		From: r.From.String(), TTL: &r.TTLBack, Size: size(r), TOS: r.TOSBack,
		Dup: r.Verdict == rx.Duplicate, Late: late(t, r), Err: failure(run, r), Ext: extension(r),
	}
	if out.Late == 0 && r.Verdict != rx.Undecided {
		out.RTT = strconv.AppendFloat(nil, float64(r.RTT.Round(time.Microsecond))/float64(time.Millisecond), 'f', -1, 64)
	}
	if r.Kind.IsError() && r.Quoted > 0 {
		if r.QuoteTTL != 1 {
			out.ITTL = &r.QuoteTTL
		}
		out.ITOS = r.QuoteTOS
	}
	if r.Kind == frame.KindTooBig {
		out.MTU = r.MTU
	}
	if r.Kind == frame.KindTCP {
		out.Flags = flags(r.Flags)
	}
	return out
}

// size is the length of the ICMP payload, or of that of UDP and TCP.
func size(r *record.Reply) *int {
	n := r.Quoted
	if !r.Kind.IsError() {
		header := 20
		if r.From.Is6() {
			header = 40
		}
		switch r.Kind {
		case frame.KindTCP:
			return nil
		default: // an echo header is as long as that of UDP
			n = max(r.Size-header-8, 0)
		}
	}
	return &n
}

// late is how many probes had been sent since when a late reply came; 0 for
// replies in time.
func late(t *record.Trace, r *record.Reply) int {
	if r.Verdict != rx.Late {
		return 0
	}
	n := 1
	for i := range t.Probes {
		if at := t.Probes[i].SentAt; at > r.At-r.RTT && at < r.At {
			n++
		}
	}
	return n
}

// failure is the letter of an unreachable, or its code where it has none.
func failure(run *record.Run, r *record.Reply) any {
	if r.Kind != frame.KindUnreachable && r.Kind != frame.KindTooBig {
		return nil
	}
	letters := map[uint8]string{0: "N", 1: "H", 2: "P", 13: "A"}
	port := uint8(3)
	if r.From.Is6() {
		if r.Kind == frame.KindTooBig {
			return nil
		}
		letters, port = map[uint8]string{0: "N", 1: "A", 2: "h", 3: "H"}, 4
	}
	if r.Code == port {
		if run.Method == frame.UDP {
			return nil // it is how a destination answers
		}
		return "p"
	}
	if s, ok := letters[r.Code]; ok {
		return s
	}
	return r.Code
}

// flags gives the letters of TCP flags.
func flags(f uint8) string {
	const letters = "FSRPAU"
	var out []byte
	for i := range len(letters) {
		if f&(1<<i) != 0 {
			out = append(out, letters[i])
		}
	}
	return string(out)
}

func extension(r *record.Reply) *ext {
	if len(r.Ext) == 0 {
		return nil
	}
	e := &ext{Version: r.Ext[0] >> 4, Objects: []object{}}
	if r.ExtCompliant {
		e.RFC4884 = 1
	}
	objects := frame.Objects(r.Ext)
	for o, ok := objects.Next(); ok; o, ok = objects.Next() {
		out := object{Class: o.Class, Type: o.Type}
		if o.Class == frame.ClassMPLS && o.Type == frame.TypeMPLSIncoming {
			labels := frame.Labels(o.Data)
			for l, ok := labels.Next(); ok; l, ok = labels.Next() {
				s := 0
				if l.Bottom {
					s = 1
				}
				out.MPLS = append(out.MPLS, label{l.Label, l.Exp, s, l.TTL})
			}
		}
		e.Objects = append(e.Objects, out)
	}
	return e
}
