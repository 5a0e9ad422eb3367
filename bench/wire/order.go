package wire

import "encoding/binary"

// etherIPv4 is the EtherType of IPv4 as a little- or big-endian machine finds it
// in a field of network byte order.
var etherIPv4 = int32(binary.NativeEndian.Uint16([]byte{0x08, 0x00}))
