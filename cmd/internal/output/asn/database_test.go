package asn

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
)

// networks are the entries of a test database: strings, uint32 and maps of
// them.
type networks map[string]map[string]any

// build writes an MMDB file, format 2.0: a tree of records of 24, 28 or 32
// bits, sixteen zeros, the entries, and the metadata. IPv4 networks are put
// into a tree of IPv6 under ::/96.
func build(kind string, version, size int, entries networks) []byte {
	const empty = -1
	nodes := [][2]int{{empty, empty}} // children; entries below empty
	var data []byte
	for _, text := range slices.Sorted(maps.Keys(entries)) {
		p := netip.MustParsePrefix(text)
		octets, bits := p.Addr().AsSlice(), p.Bits()
		if p.Addr().Is4() && version == 6 {
			octets, bits = append(make([]byte, 12), octets...), bits+96
		}
		node := 0
		for i := range bits {
			side := octets[i/8] >> (7 - i%8) & 1
			child := &nodes[node][side]
			if i == bits-1 {
				*child = empty - 1 - len(data)
				break
			}
			if *child == empty {
				nodes = append(nodes, [2]int{empty, empty})
				nodes[node][side] = len(nodes) - 1
			}
			node = nodes[node][side]
		}
		data = encode(data, entries[text])
	}
	var file []byte
	for _, n := range nodes {
		var r [2]uint32
		for side, child := range n {
			switch {
			case child >= 0:
				r[side] = uint32(child)
			case child == empty:
				r[side] = uint32(len(nodes))
			default:
				r[side] = uint32(len(nodes) + 16 + empty - 1 - child)
			}
		}
		file = appendNode(file, size, r[0], r[1])
	}
	file = append(file, make([]byte, 16)...)
	file = append(file, data...)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	return encode(file, map[string]any{
		"binary_format_major_version": uint32(2), "binary_format_minor_version": uint32(0),
		"build_epoch": uint32(1700000000), "database_type": kind, "ip_version": uint32(version),
		"node_count": uint32(len(nodes)), "record_size": uint32(size),
	})
}

func appendNode(b []byte, size int, left, right uint32) []byte {
	var l, r [4]byte
	binary.BigEndian.PutUint32(l[:], left)
	binary.BigEndian.PutUint32(r[:], right)
	switch size {
	case 24:
		return append(append(b, l[1:]...), r[1:]...)
	case 28:
		b = append(b, l[1:]...)
		b = append(b, l[0]<<4|r[0])
		return append(b, r[1:]...)
	}
	return append(append(b, l[:]...), r[:]...)
}

// encode appends a value: a control byte of type and length, then the bytes.
func encode(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		if len(v) < 29 {
			return append(append(b, 2<<5|byte(len(v))), v...)
		}
		return append(append(b, 2<<5|29, byte(len(v)-29)), v...) // up to 284 bytes
	case uint32:
		return binary.BigEndian.AppendUint32(append(b, 6<<5|4), v)
	case map[string]any:
		b = append(b, 7<<5|byte(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = encode(encode(b, key), v[key])
		}
		return b
	}
	panic("value of a type that test databases don't have")
}
