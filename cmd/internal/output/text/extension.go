package text

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// extension gives what the answer tells in angle brackets, with the blank
// before it, or "".
func (w *Writer) extension(a hops.Answer) string {
	switch {
	case w.cfg.TCPInfo && a.Kind == frame.KindTCP:
		return " <" + strings.Join(Flags(a.Flags), ",") + ">"
	case w.cfg.Extensions && a.Kind.IsError():
		if objects := Extensions(a.Classic); objects != "" {
			return " <" + objects + ">"
		}
	}
	return ""
}

// Extensions writes the objects of an extension structure, "" for nil: labels
// as MPLS:L=100,E=0,S=1,T=3, with "/" between the entries of a stack, anything
// else as class/type: and its words in hexadecimal.
func Extensions(ext []byte) string {
	var b []byte
	walk := frame.Objects(ext)
	for o, ok := walk.Next(); ok; o, ok = walk.Next() {
		if b != nil {
			b = append(b, ';')
		}
		if o.Class == frame.ClassMPLS && o.Type == frame.TypeMPLSIncoming && len(o.Data) > 0 {
			b = appendLabels(b, o.Data)
		} else {
			b = appendObject(b, o)
		}
	}
	return string(b)
}

func appendLabels(b, data []byte) []byte {
	b = append(b, "MPLS:"...)
	stack, first := frame.Labels(data), true
	for e, ok := stack.Next(); ok; e, ok = stack.Next() {
		if !first {
			b = append(b, '/')
		}
		first = false
		bottom := uint64(0)
		if e.Bottom {
			bottom = 1
		}
		b = strconv.AppendUint(append(b, "L="...), uint64(e.Label), 10)
		b = strconv.AppendUint(append(b, ",E="...), uint64(e.Exp), 10)
		b = strconv.AppendUint(append(b, ",S="...), bottom, 10)
		b = strconv.AppendUint(append(b, ",T="...), uint64(e.TTL), 10)
	}
	return b
}

func appendObject(b []byte, o frame.Object) []byte {
	b = append(strconv.AppendUint(b, uint64(o.Class), 10), '/')
	b = append(strconv.AppendUint(b, uint64(o.Type), 10), ':')
	for i := 0; i+4 <= len(o.Data); i += 4 {
		if i > 0 {
			b = append(b, ',')
		}
		word := strconv.FormatUint(uint64(binary.BigEndian.Uint32(o.Data[i:])), 16)
		b = append(append(b, "00000000"[len(word):]...), word...)
	}
	return b
}
