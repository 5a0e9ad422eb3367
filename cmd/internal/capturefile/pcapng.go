package capturefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// Block types, draft-ietf-opsawg-pcapng section 4.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockOld        = 2
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6

	byteOrderMagic = 0x1a2b3c4d
)

// Options, sections 3.5, 4.2 and 4.6.
const (
	optionEnd        = 0
	optionResolution = 9
	optionOffset     = 14
	optionDropped    = 5 // by the interface
	optionOSDropped  = 7
)

// maxOptions is how much of a block that is no packet is looked at, in bytes.
const maxOptions = bufferSize / 2

type pcapng struct {
	section    bool
	interfaces []netInterface
	base       int // number of the section's first interface in the file
}

type netInterface struct {
	link   LinkType
	snap   uint32
	units  uint64 // of time in a second, 0 for more than fit
	offset int64  // seconds
	drops  uint64
}

func (f *pcapng) next(r *Reader, p *Packet) error {
	for {
		if err := r.begin(); err != nil {
			return err
		}
		b, err := r.take(12)
		if err != nil {
			return err
		}
		kind := r.order.Uint32(b)
		if kind == blockSection {
			if r.order, err = sectionOrder(b[8:]); err != nil {
				return err
			}
		} else if !f.section {
			return errors.New("pcapng without a section header")
		}
		length := r.order.Uint32(b[4:])
		if length < 12 || length%4 != 0 && kind != blockOld {
			return fmt.Errorf("pcapng block of %d bytes, want at least 12 and whole words", length)
		}
		length += -length & 3
		// The last word of the 12 belongs to the body, or is the trailer of
		// an empty block.
		r.skip = 8
		body := int64(length) - 12
		found, err := f.block(r, kind, body, p)
		if err != nil {
			return err
		}
		r.offset += int64(length)
		if found {
			return nil
		}
	}
}

func sectionOrder(b []byte) (binary.ByteOrder, error) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if order.Uint32(b) == byteOrderMagic {
			return order, nil
		}
	}
	return nil, fmt.Errorf("pcapng section begins with % x, want its byte order", b)
}

// block reads the body of a block with its trailer, and tells whether it was a
// packet.
func (f *pcapng) block(r *Reader, kind uint32, size int64, p *Packet) (bool, error) {
	switch kind {
	case blockEnhanced, blockOld, blockSimple:
		if size > maxPacket {
			return false, fmt.Errorf("pcapng packet block of %d bytes, want at most %d", size, maxPacket)
		}
		body, err := r.take(int(size) + 4)
		if err != nil {
			return false, err
		}
		if err := f.trailer(r, body[size:], size); err != nil {
			return false, err
		}
		return true, f.packet(r, kind, body[:size], p)
	case blockSection, blockInterface, blockStatistics:
		if size > maxOptions {
			return false, fmt.Errorf("pcapng block of type %d and %d bytes, want at most %d", kind, size, maxOptions)
		}
		body, err := r.take(int(size) + 4)
		if err != nil {
			return false, err
		}
		if err := f.trailer(r, body[size:], size); err != nil {
			return false, err
		}
		return false, f.describe(r, kind, body[:size])
	}
	// Names, secrets, comments: of no use here.
	if err := r.discard(r.skip); err != nil {
		return false, err
	}
	r.skip = 0
	n, err := io.CopyN(io.Discard, r.b, size+4)
	if err != nil && n < size+4 {
		return false, io.ErrUnexpectedEOF
	}
	return false, nil
}

// trailer checks the length at the end of a block.
func (f *pcapng) trailer(r *Reader, b []byte, size int64) error {
	if n := r.order.Uint32(b); int64(n+-n&3) != size+12 {
		return fmt.Errorf("pcapng block of %d bytes ends with the length %d", size+12, n)
	}
	return nil
}

func (f *pcapng) describe(r *Reader, kind uint32, b []byte) error {
	switch {
	case kind == blockSection:
		if len(b) < 16 {
			return fmt.Errorf("pcapng section header of %d bytes, want at least 28", len(b)+12)
		}
		if major := r.order.Uint16(b[4:]); major != 1 {
			return fmt.Errorf("pcapng version %d, want 1", major)
		}
		f.section = true
		f.base += len(f.interfaces)
		f.interfaces = f.interfaces[:0]
	case kind == blockInterface:
		return f.addInterface(r, b)
	case len(b) >= 12:
		f.statistics(r, r.order.Uint32(b), b[12:])
	}
	return nil
}

func (f *pcapng) addInterface(r *Reader, b []byte) error {
	switch {
	case len(b) < 8:
		return fmt.Errorf("pcapng interface block of %d bytes, want at least 20", len(b)+12)
	case len(f.interfaces) == maxInterfaces:
		return fmt.Errorf("more than %d interfaces", maxInterfaces)
	}
	i := netInterface{link: LinkType(r.order.Uint16(b)), snap: r.order.Uint32(b[4:]), units: 1e6}
	eachOption(r.order, b[8:], func(code uint16, v []byte) {
		switch {
		case code == optionResolution && len(v) >= 1:
			i.units = unitsOf(v[0])
		case code == optionOffset && len(v) >= 8:
			i.offset = int64(r.order.Uint64(v))
		}
	})
	f.interfaces = append(f.interfaces, i)
	return nil
}

// unitsOf gives how many units of time make a second: a power of ten, or of
// two if the upper bit is set. 0 stands for more than 64 bits hold.
func unitsOf(resolution uint8) uint64 {
	n := resolution & 0x7f
	if resolution&0x80 != 0 {
		if n > 63 {
			return 0
		}
		return 1 << n
	}
	if n > 19 {
		return 0
	}
	return uint64(math.Pow10(int(n)))
}

// statistics notes how many packets an interface lost; the last block counts.
func (f *pcapng) statistics(r *Reader, index uint32, options []byte) {
	if int64(index) >= int64(len(f.interfaces)) {
		return
	}
	var drops uint64
	eachOption(r.order, options, func(code uint16, v []byte) {
		if (code == optionDropped || code == optionOSDropped) && len(v) >= 8 {
			drops += r.order.Uint64(v)
		}
	})
	i := &f.interfaces[index]
	r.dropped += drops - i.drops
	i.drops = drops
}

func eachOption(order binary.ByteOrder, b []byte, do func(code uint16, v []byte)) {
	for len(b) >= 4 {
		code, n := order.Uint16(b), int(order.Uint16(b[2:]))
		if code == optionEnd || n > len(b)-4 {
			return
		}
		do(code, b[4:4+n])
		b = b[min(4+n+(-n&3), len(b)):]
	}
}

func (f *pcapng) packet(r *Reader, kind uint32, b []byte, p *Packet) error {
	*p = Packet{At: r.last}
	var index, size uint32
	var stamp uint64
	head := 20
	if kind == blockSimple {
		head = 4
	}
	if len(b) < head {
		return fmt.Errorf("pcapng packet block of %d bytes, want at least %d", len(b)+12, head+12)
	}
	if kind == blockSimple {
		p.Length = int(r.order.Uint32(b))
		size = r.order.Uint32(b)
	} else {
		index = r.order.Uint32(b)
		if kind == blockOld {
			index = uint32(r.order.Uint16(b))
		}
		stamp = uint64(r.order.Uint32(b[4:]))<<32 | uint64(r.order.Uint32(b[8:]))
		size, p.Length = r.order.Uint32(b[12:]), int(r.order.Uint32(b[16:]))
	}
	if int64(index) >= int64(len(f.interfaces)) {
		return fmt.Errorf("packet of interface %d, there are %d", index, len(f.interfaces))
	}
	i := &f.interfaces[index]
	p.Link, p.Interface = i.link, f.base+int(index)
	if kind == blockSimple {
		if i.snap != 0 {
			size = min(size, i.snap)
		}
		size = min(size, uint32(len(b)-head))
	} else {
		p.At = i.time(stamp)
		r.last = p.At
	}
	if int64(size) > int64(len(b)-head) {
		return fmt.Errorf("packet of %d bytes in a block of %d", size, len(b)+12)
	}
	p.Data = b[head : head+int(size)]
	p.Length = max(p.Length, len(p.Data))
	return nil
}

// time brings a timestamp to nanoseconds. What does not fit wraps: it is
// nonsense in any case.
func (i *netInterface) time(stamp uint64) int64 {
	if i.units == 0 {
		return i.offset * 1e9
	}
	seconds, rest := stamp/i.units, stamp%i.units
	hi, lo := bits.Mul64(rest, 1e9)
	part, _ := bits.Div64(hi, lo, i.units) // rest < units: it fits
	return (int64(seconds)+i.offset)*1e9 + int64(part)
}
