package quotes

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/quotes/summary"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// Item is one answer of a hop.
type Item struct {
	Answer hops.Answer
	Sent   int // the probe's length in bytes, of its first fragment if it was cut
	Seen   onpath.Seen
}

// Hop gives the lines of one hop, none where nothing answered.
func Hop(items []Item) []byte {
	var keys []string
	var out []byte
	line := func(i *Item, key, text string) {
		from := i.Answer.From.String()
		if key = from + " " + key; !slices.Contains(keys, key) {
			keys = append(keys, key)
			out = fmt.Appendf(out, "    %s: %s\n", from, text)
		}
	}
	for _, from := range responders(items) {
		for k := range items {
			i := &items[k]
			if i.Answer.From.String() != from {
				continue
			}
			line(i, i.key(), i.text())
			for _, e := range extensions(&i.Answer) {
				line(i, e, e)
			}
		}
	}
	return out
}

// responders gives the addresses in order of their first answers.
func responders(items []Item) []string {
	var list []string
	for k := range items {
		if from := items[k].Answer.From; from.IsValid() && !slices.Contains(list, from.String()) {
			list = append(list, from.String())
		}
	}
	return list
}

// key is the same for answers that tell the same.
func (i *Item) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %d %d %v %q", i.Answer.Kind.IsError(), i.Answer.Quote.Bytes, i.Sent, i.Seen.Flags, i.Seen.Restored)
	for k := range i.Seen.Changes {
		c := &i.Seen.Changes[k]
		fmt.Fprintf(&b, " %t %s", c.New, c.Key())
	}
	return b.String()
}

func (i *Item) text() string {
	parts := []string{fmt.Sprintf("%d of %d bytes", i.Answer.Quote.Bytes, i.Sent)}
	if i.Answer.Quote.Bytes == 0 {
		parts[0] = "no quote"
		if kind, ok := direct[i.Answer.Kind]; ok {
			parts[0] += ": " + kind
		}
	}
	if i.Answer.Local {
		parts = append(parts, "answered here")
	}
	i.Seen.Flags.Each(func(k anomaly.Kind) {
		switch k.Flag {
		case anomaly.Encapsulated:
			parts = append(parts, "inside "+i.Seen.Wrapping)
		case anomaly.FromTarget:
			parts = append(parts, "from the target itself")
		default:
			parts = append(parts, k.Name)
		}
	})
	differs := false
	news := len(parts)
	for k := range i.Seen.Changes {
		c := &i.Seen.Changes[k]
		if c.Flag == anomaly.Encapsulated {
			continue // told already
		}
		differs = true
		if !c.New {
			continue
		}
		text := fmt.Sprintf("%s %s -> %s", c.Label(), c.Sent, c.Quoted)
		if c.IsLeft() {
			text = fmt.Sprintf("ttl %s left", c.Quoted)
		}
		if !c.Before.IsAbsent() {
			text += fmt.Sprintf(" (%s before)", c.Before)
		}
		parts = append(parts, text)
	}
	for _, name := range i.Seen.Restored {
		parts = append(parts, name+" as sent again")
	}
	switch {
	case len(parts) > news || i.Answer.Quote.Bytes == 0:
	case differs:
		parts = append(parts, fmt.Sprintf("no change since hop %d", i.Seen.Before))
	case i.Seen.Flags&(anomaly.Truncated|anomaly.Malformed) == 0:
		parts = append(parts, "as sent")
	}
	return strings.Join(parts, ", ")
}

// direct are the answers that quote nothing.
var direct = map[frame.Kind]string{
	frame.KindEchoReply: "echo reply", frame.KindUDP: "UDP answer", frame.KindTCP: "TCP answer",
	frame.KindUDPLite: "UDP-Lite answer", frame.KindDCCP: "DCCP answer", frame.KindRaw: "raw answer",
}

// maxHex is how much is shown of extensions that can't be read, in bytes.
const maxHex = 64

// extensions puts the extension structure of an answer into words, one text for
// each object.
func extensions(a *hops.Answer) []string {
	if a.Ext == nil {
		return nil
	}
	if err := frame.Valid(a.Ext); err != nil {
		shown, more := a.Ext, ""
		if len(shown) > maxHex {
			shown, more = shown[:maxHex], "…"
		}
		return []string{fmt.Sprintf("extensions not valid, %v: %s%s", err, hex.EncodeToString(shown), more)}
	}
	suffix := ""
	if !a.ExtCompliant {
		suffix = ", found without its length field"
	}
	var list []string
	walk := frame.Objects(a.Ext)
	for o, ok := walk.Next(); ok; o, ok = walk.Next() {
		list = append(list, "extension "+summary.Describe(o)+suffix)
	}
	return list
}
