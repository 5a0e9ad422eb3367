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
	r.Flags |= anomaly.Extensions(rep.Ext, rep.ExtCompliant)
}

// swappedVersion tells whether ext is a structure that is right but for its
// version.
func swappedVersion(ext []byte) bool {
	if ext[0] != extensionVersion {
		return false
	}
	sum := binary.BigEndian.Uint16(ext[2:])
	return anomaly.Filled(ext) && sum != 0 && frame.Fold(frame.Sum(ext, 0)) == 0xffff
}
