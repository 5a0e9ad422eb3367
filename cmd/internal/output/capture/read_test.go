package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// captured is what a reader finds in a file.
type captured struct {
	link        layers.LinkType
	name        string
	application string
	resolution  uint8
	packets     []packet
}

type packet struct {
	at     time.Time
	data   []byte
	length int
}

// read takes a file apart with gopacket's reader; every error but the end of
// the file fails the test.
func read(t *testing.T, path string) captured {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return readFrom(t, f)
}

func readFrom(t *testing.T, f io.Reader) captured {
	t.Helper()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var got captured
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal("after", len(got.packets), "packets:", err)
		}
		got.packets = append(got.packets, packet{info.Timestamp, data, info.Length})
	}
	intf, err := r.Interface(0)
	if err != nil {
		t.Fatal(err)
	}
	got.link, got.name, got.resolution = r.LinkType(), intf.Name, uint8(intf.TimestampResolution)
	got.application = r.SectionInfo().Application
	return got
}

// blocks splits a file into its blocks and fails the test where the lengths
// at both ends of one differ or the last one is cut.
func blocks(t *testing.T, b []byte) [][]byte {
	t.Helper()
	var all [][]byte
	for len(b) > 0 {
		if len(b) < 12 {
			t.Fatalf("%d bytes behind the last block", len(b))
		}
		n := int(binary.LittleEndian.Uint32(b[4:]))
		if n%4 != 0 || n < 12 || n > len(b) {
			t.Fatalf("block of %d bytes with %d left", n, len(b))
		}
		if end := int(binary.LittleEndian.Uint32(b[n-4:])); end != n {
			t.Fatalf("block of %d bytes ends with length %d", n, end)
		}
		all, b = append(all, b[:n]), b[n:]
	}
	return all
}
