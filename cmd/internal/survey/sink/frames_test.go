package sink

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

// framesBy gives the sink a frame of each of the interfaces, at times from n on.
func framesBy(s *Sink, n int, by ...string) {
	for i, name := range by {
		s.Frame(&record.Frame{At: time.Duration(n + i), Sent: name == "", By: name, Data: bytes.Repeat([]byte{byte(n + i)}, 60)})
	}
}

// capturedBy reads a capture: the number of each frame's interface, and its name.
func capturedBy(t *testing.T, path string) (list []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		by, err := r.Interface(info.InterfaceIndex)
		if err != nil || data[0] != byte(i) || by.TimestampResolution.Exponent() != 9 {
			t.Errorf("frame %d is % x, of an interface with times in 10^-%d s, %v", i, data[0], by.TimestampResolution.Exponent(), err)
		}
		list = append(list, fmt.Sprintf("%d %s", info.InterfaceIndex, by.Name))
	}
}

// unpack decompresses a file into another.
func unpack(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(zip); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The frames of a batch are written in order of time, those of one time in the
// order in which they came.
func TestFramesInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "frames")
	s := start(t, Config{Targets: []Target{{Kind: capture.Kind, Path: path}}, Run: sample.Run(frame.UDP)})
	s.mu.Lock() // the writers take all of them together
	for i, n := range []int{4, 1, 0, 3, 2, 5} {
		data := bytes.Repeat([]byte{byte(n)}, 60)
		s.filling.frames = append(s.filling.frames, record.Frame{At: time.Duration(n / 2), Sent: i%2 == 0, Data: data})
		s.added()
	}
	s.mu.Unlock()
	if err := s.Close(&record.End{}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for data, _, err := r.ReadPacketData(); err == nil; data, _, err = r.ReadPacketData() {
		got = append(got, data[0])
	}
	if want := []byte{1, 0, 3, 2, 4, 5}; !bytes.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A capture that was cut at any byte behind the checkpoint is gone on with: an
// interface has its number from before or, the first time, the next one.
func TestCaptureGoesOn(t *testing.T) {
	for _, suffix := range []string{"", ".gz"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "frames"+suffix)
		run := sample.Run(frame.UDP)
		run.Interface = "first"
		cfg := Config{Targets: []Target{{Kind: capture.Kind, Path: path}}, Run: run}
		s := start(t, cfg)
		framesBy(s, 0, "", "second", "", "third")
		var c *Cut
		marked := make(chan error, 1)
		s.Mark(func(cut *Cut, err error) { c = cut; marked <- err })
		if err := <-marked; err != nil {
			t.Fatal(err)
		}
		framesBy(s, 4, "fourth", "second", "", "third")
		if err := s.Close(&record.End{}); err != nil {
			t.Fatal(err)
		}
		want := []string{"0 first", "1 second", "0 first", "2 third", "2 third", "3 fifth", "1 second", "0 first", "4 fourth"}
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := int(c.Outputs[0].Size); n <= len(all); n++ {
			if err := os.WriteFile(path, all[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			cfg.Resume = c
			s := start(t, cfg)
			framesBy(s, 4, "third", "fifth", "second", "", "fourth")
			if err := s.Close(&record.End{}); err != nil {
				t.Fatal(err)
			}
			read := path
			if suffix != "" {
				read = filepath.Join(dir, "unpacked")
				unpack(t, path, read)
			}
			if diff := cmp.Diff(want, capturedBy(t, read)); diff != "" {
				t.Fatalf("cut at byte %d of %d (-want +got):\n%s", n, len(all), diff)
			}
		}
	}
}
