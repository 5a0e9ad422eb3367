package capturefile

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// ip4 is a small IPv4 packet, marked by its last byte.
func ip4(mark byte) []byte {
	b := make([]byte, 24)
	b[0], b[3], b[8], b[9], b[23] = 0x45, 24, 1, 99, mark
	return b
}

// block builds a pcapng block.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	body = append(body, make([]byte, -len(body)&3)...)
	n := uint32(len(body) + 12)
	b := order.AppendUint32(nil, kind)
	b = append(order.AppendUint32(b, n), body...)
	return order.AppendUint32(b, n)
}

func section(order binary.AppendByteOrder) []byte {
	b := order.AppendUint32(nil, byteOrderMagic)
	b = order.AppendUint16(order.AppendUint16(b, 1), 0)
	return block(order, blockSection, append(b, bytes.Repeat([]byte{0xff}, 8)...))
}

func option(order binary.AppendByteOrder, code uint16, v ...byte) []byte {
	b := order.AppendUint16(order.AppendUint16(nil, code), uint16(len(v)))
	b = append(b, v...)
	return append(b, make([]byte, -len(v)&3)...)
}

// device builds an interface block; options may be nil.
func device(order binary.AppendByteOrder, link LinkType, options ...[]byte) []byte {
	b := order.AppendUint16(nil, uint16(link))
	b = order.AppendUint32(order.AppendUint16(b, 0), 0)
	for _, o := range options {
		b = append(b, o...)
	}
	return block(order, blockInterface, append(b, option(order, optionEnd)...))
}

func enhanced(order binary.AppendByteOrder, index uint32, stamp uint64, data []byte) []byte {
	b := order.AppendUint32(nil, index)
	b = order.AppendUint32(order.AppendUint32(b, uint32(stamp>>32)), uint32(stamp))
	b = order.AppendUint32(order.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	return block(order, blockEnhanced, append(b, data...))
}

// classic builds a pcap file with one packet.
func classic(order binary.AppendByteOrder, magic uint32, link uint32, second, part uint32, data []byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(order.AppendUint32(b, 65535), link)
	b = order.AppendUint32(order.AppendUint32(b, second), part)
	b = order.AppendUint32(order.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	if magic == magicModified {
		b = append(b, make([]byte, 8)...)
	}
	return append(b, data...)
}

// got is a packet that was read.
type got struct {
	At        int64
	Link      LinkType
	Interface int
	IP        []byte
}

// readAll reads a file to its end, or to its damage.
func readAll(t testing.TB, file []byte) ([]got, error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file), "test")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var list []got
	var p Packet
	for {
		err := r.Next(&p)
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		ip, _ := p.IP()
		list = append(list, got{p.At, p.Link, p.Interface, bytes.Clone(ip)})
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
