package capturefile

import (
	"errors"
	"fmt"
	"io"
)

// First words of pcap files (draft-ietf-opsawg-pcap): times in micro- or
// nanoseconds; and a variant with longer records, of old Linux systems.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34
)

const (
	pcapHeaderLen   = 24
	pcapRecordLen   = 16
	pcapModifiedLen = 24
)

type pcap struct {
	link   LinkType
	unit   int64 // ns in one unit of the second time word
	record int   // length of a record's header
}

func (r *Reader) startPcap() error {
	b, err := r.take(pcapHeaderLen)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends in the pcap header")
		}
		return err
	}
	f := &pcap{link: LinkType(r.order.Uint32(b[20:]) & 0xffff), unit: 1000, record: pcapRecordLen}
	switch r.order.Uint32(b) {
	case magicNano:
		f.unit = 1
	case magicModified:
		f.record = pcapModifiedLen
	}
	if major := r.order.Uint16(b[4:]); major != 2 {
		return fmt.Errorf("pcap version %d, want 2", major)
	}
	r.format, r.offset = f, pcapHeaderLen
	return nil
}

func (f *pcap) next(r *Reader, p *Packet) error {
	if err := r.begin(); err != nil {
		return err
	}
	b, err := r.take(f.record)
	if err != nil {
		return err
	}
	second, part := int64(r.order.Uint32(b)), int64(r.order.Uint32(b[4:]))
	size, length := r.order.Uint32(b[8:]), r.order.Uint32(b[12:])
	if size > maxPacket {
		return fmt.Errorf("packet of %d bytes, want at most %d", size, maxPacket)
	}
	data, err := r.take(int(size))
	if err != nil {
		return err
	}
	r.offset += int64(f.record) + int64(size)
	*p = Packet{Data: data, Length: int(max(length, size)), At: second*1e9 + part*f.unit, Link: f.link}
	return nil
}
