package attribute

import (
	"encoding/binary"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// RFC 4884 section 7.
const (
	extensionVersion  = 2
	extensionOriginal = 128
)

// extensions sets the flags of a reply's extension structure. One that stands
// at byte 128 with its version in the wrong half of the byte, which some
// routers send, is taken for one as well.
func (t *Tracker) extensions(r *Result) {
	rep := &r.Reply
	if rep.Ext == nil && len(rep.Body) >= extensionOriginal+8 {
		if ext := rep.Body[extensionOriginal:]; swappedVersion(ext) {
			rep.Ext = ext
			rep.Quote.Bytes = min(rep.Quote.Bytes, extensionOriginal)
		}
	}
	if rep.Ext == nil {
		return
	}
	if !rep.ExtCompliant {
		r.Flags |= anomaly.ExtNoLength
	}
	if rep.Ext[0]>>4 != extensionVersion {
		r.Flags |= anomaly.ExtVersion
	}
	if binary.BigEndian.Uint16(rep.Ext[2:]) == 0 || frame.Fold(frame.Sum(rep.Ext, 0)) != 0xffff {
		r.Flags |= anomaly.ExtChecksum
	}
	if !filled(rep.Ext) {
		r.Flags |= anomaly.ExtObjects
	}
}

// swappedVersion tells whether ext is a structure that is right but for its
// version.
func swappedVersion(ext []byte) bool {
	if ext[0] != extensionVersion {
		return false
	}
	sum := binary.BigEndian.Uint16(ext[2:])
	return filled(ext) && sum != 0 && frame.Fold(frame.Sum(ext, 0)) == 0xffff
}

// filled tells whether objects fill the structure exactly.
func filled(ext []byte) bool {
	size := 4
	for w := frame.Objects(ext); ; {
		o, ok := w.Next()
		if !ok {
			return size == len(ext) && size > 4
		}
		size += 4 + len(o.Data)
	}
}
