package frame

import (
	"encoding/binary"
	"errors"

	"github.com/google/gopacket/layers"
)

// MaxShift is the largest window scale shift (RFC 7323 section 2.3).
const MaxShift = 14

// tcpOptions lists the options of h in the order and with the NOPs of Linux:
// MSS; SACK-permitted or two NOPs before the timestamps, or two NOPs before a
// lone SACK-permitted; one NOP before the window scale. Each group fills whole
// 32-bit words, so no padding follows.
func tcpOptions(h *TCPHeader) []layers.TCPOption {
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop, OptionLength: 1}
	sack := layers.TCPOption{OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2}
	var opts []layers.TCPOption
	if h.MSS != 0 {
		opts = append(opts, layers.TCPOption{
			OptionType:   layers.TCPOptionKindMSS,
			OptionLength: 4,
			OptionData:   binary.BigEndian.AppendUint16(nil, h.MSS),
		})
	}
	switch {
	case h.Timestamps && h.SACK:
		opts = append(opts, sack)
	case h.Timestamps:
		opts = append(opts, nop, nop)
	case h.SACK:
		opts = append(opts, nop, nop, sack)
	}
	if h.Timestamps {
		data := binary.BigEndian.AppendUint32(nil, h.TSVal)
		opts = append(opts, layers.TCPOption{
			OptionType:   layers.TCPOptionKindTimestamps,
			OptionLength: 10,
			OptionData:   binary.BigEndian.AppendUint32(data, h.TSEcr),
		})
	}
	if h.WScale {
		opts = append(opts, nop, layers.TCPOption{
			OptionType:   layers.TCPOptionKindWindowScale,
			OptionLength: 3,
			OptionData:   []byte{h.Shift},
		})
	}
	return opts
}

var errTCPOptions = errors.New("TCP options are not laid out as in a probe")

// readTCPOptions takes options that tcpOptions laid out back into h. Any other
// layout is an error.
func readTCPOptions(b []byte, h *TCPHeader) error {
	if len(b) >= 4 && b[0] == 2 && b[1] == 4 {
		h.MSS = binary.BigEndian.Uint16(b[2:])
		if h.MSS == 0 {
			return errTCPOptions
		}
		b = b[4:]
	}
	if len(b) >= 12 && b[2] == 8 && b[3] == 10 {
		switch {
		case b[0] == 4 && b[1] == 2:
			h.SACK = true
		case b[0] != 1 || b[1] != 1:
			return errTCPOptions
		}
		h.Timestamps = true
		h.TSVal = binary.BigEndian.Uint32(b[4:])
		h.TSEcr = binary.BigEndian.Uint32(b[8:])
		b = b[12:]
	} else if len(b) >= 4 && b[0] == 1 && b[1] == 1 && b[2] == 4 && b[3] == 2 {
		h.SACK = true
		b = b[4:]
	}
	if len(b) >= 4 && b[0] == 1 && b[1] == 3 && b[2] == 3 && b[3] <= MaxShift {
		h.WScale = true
		h.Shift = b[3]
		b = b[4:]
	}
	if len(b) != 0 {
		return errTCPOptions
	}
	return nil
}
