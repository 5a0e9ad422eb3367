package capturefile

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// Reading never panics, ends, and hands out no packet that is longer than what
// is left of the file.
func FuzzRead(f *testing.F) {
	f.Add(classic(little, magicMicro, 101, 1, 2, ip4(1)))
	f.Add(classic(big, magicModified, 1, 1, 2, ip4(1)))
	f.Add(join(section(little), device(little, LinkRaw, option(little, optionResolution, 0x8a)), enhanced(little, 0, 1, ip4(1))))
	f.Add(join(section(big), device(big, LinkCooked2), block(big, blockSimple, []byte{0, 0, 0, 4, 1, 2, 3, 4})))
	f.Add(gz(f, classic(little, magicNano, 113, 1, 2, ip4(1))))
	f.Add(zst(f, classic(little, magicNano, 276, 1, 2, ip4(1))))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file), "fuzz")
		if err != nil {
			return
		}
		defer r.Close()
		var p Packet
		for range 1000 {
			err := r.Next(&p)
			var d *Damage
			if err == io.EOF || errors.As(err, &d) {
				return
			}
			if err != nil {
				t.Fatalf("%T %v", err, err)
			}
			ip, _ := p.IP()
			if len(p.Data) > maxPacket || p.Length < len(p.Data) || len(ip) > len(p.Data) {
				t.Fatalf("%d bytes of %d, IP %d", len(p.Data), p.Length, len(ip))
			}
		}
	})
}

// What pcapgo reads of a proper file is what is read here.
func TestSameAsPcapgo(t *testing.T) {
	file := join(section(little), device(little, LinkRaw, option(little, optionResolution, 9)),
		enhanced(little, 0, 1700000000123456789, ip4(1)), enhanced(little, 0, 1700000001000000001, ip4(2)))
	list, err := readAll(t, file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, list[i].IP) || info.Timestamp.UnixNano() != list[i].At {
			t.Errorf("packet %d: % x at %v, pcapgo % x at %v", i, list[i].IP, list[i].At, data, info.Timestamp.UnixNano())
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	file.Write(join(section(little), device(little, LinkRaw)))
	const packets = 10000
	for i := range packets {
		file.Write(enhanced(little, 0, uint64(i), append(ip4(1), make([]byte, 60)...)))
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file.Bytes()), "bench")
		if err != nil {
			b.Fatal(err)
		}
		var p Packet
		for r.Next(&p) == nil {
		}
		if r.Packets() != packets {
			b.Fatal(r.Packets())
		}
	}
	b.ReportMetric(float64(packets*b.N)/b.Elapsed().Seconds(), "packets/s")
}
