package summary

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/attribute"
)

// Extension is one extension object that a responder sent.
type Extension struct {
	Responder netip.Addr
	TTL       uint8 // of the probe, 0 without one
	Text      string
}

func (s *Summary) addExtensions(r *attribute.Result) {
	if r.Reply.Ext == nil {
		return
	}
	var ttl uint8
	if r.Verdict.Attributed() {
		ttl = r.Cause.TTL
	}
	for w := frame.Objects(r.Reply.Ext); ; {
		o, ok := w.Next()
		if !ok {
			return
		}
		key := Extension{r.Reply.From, ttl, Describe(o)}
		if _, known := s.Extensions[key]; !known && len(s.Extensions) >= maxExtensions {
			s.Unlisted++
			continue
		}
		s.Extensions[key]++
	}
}

// maxHex is how much of an unknown object is shown, in bytes.
const maxHex = 64

// Describe puts an extension object into words: label stacks as
// label/exp/bottom/TTL, interfaces by what they have, others in hexadecimal.
func Describe(o frame.Object) string {
	if o.Class == frame.ClassMPLS && o.Type == frame.TypeMPLSIncoming {
		var parts []string
		for w := frame.Labels(o.Data); ; {
			l, ok := w.Next()
			if !ok {
				break
			}
			bottom := 0
			if l.Bottom {
				bottom = 1
			}
			parts = append(parts, fmt.Sprintf("%d/%d/%d/%d", l.Label, l.Exp, bottom, l.TTL))
		}
		return "mpls " + strings.Join(parts, ",")
	}
	if i, ok := frame.InterfaceOf(o); ok {
		return describeInterface(&i)
	}
	data, more := o.Data, ""
	if len(data) > maxHex {
		data, more = data[:maxHex], "…"
	}
	return strings.TrimSpace(fmt.Sprintf("object %d/%d %s%s", o.Class, o.Type, hex.EncodeToString(data), more))
}

func describeInterface(i *frame.Interface) string {
	text := "interface " + [...]string{"incoming", "incoming-sub", "outgoing", "next-hop"}[i.Role&3]
	if i.HasIndex {
		text += fmt.Sprintf(" index %d", i.Index)
	}
	if i.Addr.IsValid() {
		text += " " + i.Addr.String()
	}
	if i.Name != nil {
		text += fmt.Sprintf(" name %q", i.Name)
	}
	if i.HasMTU {
		text += fmt.Sprintf(" mtu %d", i.MTU)
	}
	return text
}
