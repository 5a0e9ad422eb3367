package capturefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var (
	little = binary.LittleEndian
	big    = binary.BigEndian
)

func gz(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func TestFormats(t *testing.T) {
	ether := func(tags ...byte) []byte {
		b := append(bytes.Repeat([]byte{2}, 12), tags...)
		return append(append(b, 8, 0), ip4(1)...)
	}
	cooked := append([]byte{0, 4, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0}, ip4(1)...)
	cooked2 := append([]byte{8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 2, 2, 2, 2, 2, 0, 0}, ip4(1)...)
	const s, ns = 1700000000, int64(1700000000e9)
	plain := classic(little, magicMicro, 101, s, 5, ip4(1))
	one := func(at int64, link LinkType) []got { return []got{{at, link, 0, ip4(1)}} }
	for _, tt := range []struct {
		name string
		file []byte
		want []got
	}{
		{"pcap", plain, one(ns+5000, LinkRaw)},
		{"pcap big endian", classic(big, magicMicro, 101, s, 5, ip4(1)), one(ns+5000, LinkRaw)},
		{"pcap ns", classic(little, magicNano, 101, s, 5, ip4(1)), one(ns+5, LinkRaw)},
		{"pcap modified", classic(big, magicModified, 101, s, 5, ip4(1)), one(ns+5000, LinkRaw)},
		{"pcap with FCS length", classic(little, magicMicro, 0x24000001, s, 0, ether()), one(ns, LinkEthernet)},
		{"gzip", gz(t, plain), one(ns+5000, LinkRaw)},
		{"zstd", zst(t, plain), one(ns+5000, LinkRaw)},
		{"ethernet", classic(little, magicMicro, 1, s, 0, ether()), one(ns, LinkEthernet)},
		{"vlan", classic(little, magicMicro, 1, s, 0, ether(0x81, 0, 0, 7)), one(ns, LinkEthernet)},
		{"two vlans", classic(little, magicMicro, 1, s, 0, ether(0x88, 0xa8, 0, 7, 0x81, 0, 0, 8)), one(ns, LinkEthernet)},
		{"cooked", classic(little, magicMicro, 113, s, 0, cooked), one(ns, LinkCooked)},
		{"cooked 2", classic(little, magicMicro, 276, s, 0, cooked2), one(ns, LinkCooked2)},
		{"null", classic(little, magicMicro, 0, s, 0, append([]byte{2, 0, 0, 0}, ip4(1)...)), one(ns, LinkNull)},
		{"ipv4", classic(little, magicMicro, 228, s, 0, ip4(1)), one(ns, LinkIPv4)},
		{"unknown link", classic(little, magicMicro, 105, s, 0, ip4(1)), []got{{ns, 105, 0, nil}}},
		{"pcapng, interfaces with links and resolutions of their own", join(section(little),
			device(little, LinkRaw),
			device(little, LinkEthernet, option(little, optionResolution, 9)),
			device(little, LinkRaw, option(little, optionResolution, 0x80|20), option(little, optionOffset, 10, 0, 0, 0, 0, 0, 0, 0)),
			enhanced(little, 1, 7, ether()), enhanced(little, 0, 7, ip4(2)), enhanced(little, 2, 1<<20|1<<19, ip4(3)),
		), []got{{7, LinkEthernet, 1, ip4(1)}, {7000, LinkRaw, 0, ip4(2)}, {11.5e9, LinkRaw, 2, ip4(3)}}},
		{"pcapng, two sections of either order", join(section(big), device(big, LinkRaw), enhanced(big, 0, 1, ip4(1)),
			section(little), device(little, LinkRaw), enhanced(little, 0, 2, ip4(2)),
		), []got{{1000, LinkRaw, 0, ip4(1)}, {2000, LinkRaw, 1, ip4(2)}}},
		{"pcapng, unknown and empty blocks", join(section(little), block(little, 0x0bad, make([]byte, 3*bufferSize)),
			block(little, 0x4bad, nil), device(little, LinkRaw), enhanced(little, 0, 1, ip4(1)),
		), one(1000, LinkRaw)},
		{"pcapng, simple and old packets", join(section(little), device(little, LinkRaw), enhanced(little, 0, 1, ip4(1)),
			block(little, blockSimple, append([]byte{24, 0, 0, 0}, ip4(2)...)),
			block(little, blockOld, append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 24, 0, 0, 0, 24, 0, 0, 0}, ip4(3)...)),
		), []got{{1000, LinkRaw, 0, ip4(1)}, {1000, LinkRaw, 0, ip4(2)}, {3000, LinkRaw, 0, ip4(3)}}},
		{"pcapng, a packet longer than the buffer", join(section(little), device(little, LinkRaw),
			enhanced(little, 0, 1, append(ip4(1), make([]byte, 2*bufferSize)...)), enhanced(little, 0, 2, ip4(2)),
		), []got{{1000, LinkRaw, 0, append(ip4(1), make([]byte, 2*bufferSize)...)}, {2000, LinkRaw, 0, ip4(2)}}},
		{"pcapng, odd resolutions", join(section(little), device(little, LinkRaw, option(little, optionResolution, 0xff)),
			device(little, LinkRaw, option(little, optionResolution, 100)), device(little, LinkRaw, option(little, optionResolution)),
			enhanced(little, 0, 1<<40, ip4(1)), enhanced(little, 1, 1<<40, ip4(2)), enhanced(little, 2, 4, ip4(3)),
		), []got{{0, LinkRaw, 0, ip4(1)}, {0, LinkRaw, 1, ip4(2)}, {4000, LinkRaw, 2, ip4(3)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := readAll(t, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, list); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDamage(t *testing.T) {
	good := join(section(little), device(little, LinkRaw), enhanced(little, 0, 1, ip4(1)))
	head := len(good)
	trailer := bytes.Clone(good)
	trailer[head-4]++
	huge := classic(little, magicMicro, 101, 0, 0, ip4(1))
	little.PutUint32(huge[32:], 1<<31)
	for _, tt := range []struct {
		name string
		file []byte
		n    int
		want string
	}{
		{"empty", nil, 0, "test: the file is empty"},
		{"no capture", []byte("hello, world"), 0, "test: neither pcap nor pcapng: it begins with 68 65 6c 6c"},
		{"pcap header", classic(little, magicMicro, 101, 0, 0, nil)[:20], 0, "test: the file ends in the pcap header"},
		{"pcap record", classic(little, magicMicro, 101, 0, 0, ip4(1))[:50], 0, "test: byte 24: the file ends in the middle of a record"},
		{"pcap length", huge, 0, "test: byte 24: packet of 2147483648 bytes, want at most 16777216"},
		{"pcapng tail", append(bytes.Clone(good), 6, 0, 0), 1, "test: byte 96+: the file ends"},
		{"pcapng trailer", trailer, 0, "ends with the length"},
		{"pcapng without interface", join(section(little), enhanced(little, 0, 1, ip4(1))), 0, "packet of interface 0, there are 0"},
		{"pcapng block length", join(good, []byte{6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}), 1, "block of 3 bytes"},
		{"pcapng packet in block", join(section(little), device(little, LinkRaw), block(little, blockEnhanced,
			[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 1, 2, 3, 4})), 0, "packet of 200 bytes in a block of 36"},
		{"gzip tail", gz(t, good)[:len(gz(t, good))-6], 1, "the file ends"},
		{"zstd tail", zst(t, good)[:len(zst(t, good))-2], -1, "the file ends"},
		{"gzip header", []byte{0x1f, 0x8b, 1, 1}, 0, "test: gzip: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := readAll(t, tt.file)
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v, want one line", err)
			}
			want := strings.ReplaceAll(tt.want, "byte 96+: ", "")
			if !strings.Contains(strings.ReplaceAll(err.Error(), "byte 96: ", ""), strings.TrimPrefix(want, "test: ")) {
				t.Errorf("error %q, want %q", err, tt.want)
			}
			if tt.n >= 0 && len(list) != tt.n {
				t.Errorf("%d packets before it, want %d", len(list), tt.n)
			}
		})
	}
}

// A capture cut anywhere gives the packets before the cut and, unless it falls
// between two records, says that it is damaged.
func TestCutAnywhere(t *testing.T) {
	parts := [][]byte{section(little), device(little, LinkRaw), enhanced(little, 0, 1, ip4(1)), enhanced(little, 0, 2, ip4(2))}
	whole := join(parts...)
	ends := map[int]int{} // offset to packets before it
	for i, n := 0, 0; i < len(parts); i++ {
		n += len(parts[i])
		ends[n] = max(0, i-1)
	}
	packets := 0
	for n := 4; n <= len(whole); n++ {
		list, err := readAll(t, whole[:n])
		full, boundary := ends[n]
		if boundary {
			packets = full
		}
		var d *Damage
		if (err == nil) != boundary || len(list) != packets || err != nil && !errors.As(err, &d) {
			t.Errorf("cut at %d: %d packets, %v; want %d", n, len(list), err, packets)
		}
	}
}

func TestDropped(t *testing.T) {
	stats := func(n byte) []byte {
		return block(little, blockStatistics, append(make([]byte, 12), option(little, optionDropped, n, 0, 0, 0, 0, 0, 0, 0)...))
	}
	r, err := NewReader(bytes.NewReader(join(section(little), device(little, LinkRaw), stats(3), stats(7))), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p Packet
	if err := r.Next(&p); err != io.EOF || r.Dropped() != 7 {
		t.Errorf("%v, %d dropped, want EOF and 7", err, r.Dropped())
	}
}

func TestMerge(t *testing.T) {
	open := func(file []byte) *Reader {
		r, err := NewReader(bytes.NewReader(file), "test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	a := join(section(little), device(little, LinkRaw), enhanced(little, 0, 1, ip4(1)), enhanced(little, 0, 4, ip4(4)))
	b := join(section(little), device(little, LinkRaw), enhanced(little, 0, 2, ip4(2)), []byte{1})
	c := join(section(little), device(little, LinkRaw), enhanced(little, 0, 3, ip4(3)))
	m := NewMerge([]*Reader{open(a), open(b), open(c)})
	var p Packet
	links := map[uint64]bool{}
	for want := byte(1); want <= 4; want++ {
		if err := m.Next(&p); err != nil {
			t.Fatal(err)
		}
		ip, link := p.IP()
		links[link] = true
		if ip[23] != want {
			t.Errorf("packet %d, want %d", ip[23], want)
		}
	}
	if err := m.Next(&p); err != io.EOF || len(m.Damage) != 1 || len(links) != 3 {
		t.Errorf("%v, damage %v, %d links", err, m.Damage, len(links))
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "open " + filepath.Join(dir, "none") + ": no such file or directory",
		dir:                        "is a directory",
	} {
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not unwrap to ENOENT", err)
	}
}
