package anomaly

import (
	"encoding/binary"

	"github.com/hopquote/hopquote/frame"
)

const extensionVersion = 2 // RFC 4884 section 7

// Extensions gives the flags of an extension structure, its header included.
// compliant tells whether the message's length field led to it.
func Extensions(ext []byte, compliant bool) Flag {
	var f Flag
	if !compliant {
		f |= ExtNoLength
	}
	if len(ext) < 4 {
		return f | ExtObjects
	}
	if ext[0]>>4 != extensionVersion {
		f |= ExtVersion
	}
	if binary.BigEndian.Uint16(ext[2:]) == 0 || frame.Fold(frame.Sum(ext, 0)) != 0xffff {
		f |= ExtChecksum
	}
	if !Filled(ext) {
		f |= ExtObjects
	}
	return f
}

// Filled tells whether objects fill an extension structure exactly.
func Filled(ext []byte) bool {
	size := 4
	for w := frame.Objects(ext); ; {
		o, ok := w.Next()
		if !ok {
			return size == len(ext) && size > 4
		}
		size += 4 + len(o.Data)
	}
}
