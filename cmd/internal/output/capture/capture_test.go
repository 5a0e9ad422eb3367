package capture

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

var epoch = time.Date(2024, 2, 29, 23, 59, 59, 123456789, time.UTC)

// ether is a frame of n bytes, marked by its last one.
func ether(n int, mark byte) []byte {
	b := bytes.Repeat([]byte{0xee}, n)
	copy(b[12:], []byte{0x08, 0x00})
	b[n-1] = mark
	return b
}

func TestReadBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		link frame.LinkType
		want layers.LinkType
	}{
		{"ethernet", frame.LinkEthernet, layers.LinkTypeEthernet},
		{"raw", frame.LinkRaw, layers.LinkTypeRaw},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.pcapng")
			w, err := Create(path, tt.link, "veth7", epoch)
			if err != nil {
				t.Fatal(err)
			}
			// Every padding, and a frame that is reused by the caller.
			b := ether(64, 0)
			for i := range 8 {
				b[59+i%4] = byte(i)
				w.Frame(&record.Frame{At: time.Duration(i), Sent: i%2 == 0, Data: b[:60+i%4]})
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got := read(t, path)
			if got.link != tt.want || got.name != "veth7" || got.application != "hopquote" || got.resolution != 9 {
				t.Errorf("link %v, interface %q, application %q, resolution %d, want %v, veth7, hopquote, 9",
					got.link, got.name, got.application, got.resolution, tt.want)
			}
			if len(got.packets) != 8 {
				t.Fatalf("%d packets, want 8", len(got.packets))
			}
			for i, p := range got.packets {
				size := 60 + i%4
				if len(p.data) != size || p.data[size-1] != byte(i) || !p.at.Equal(epoch.Add(time.Duration(i))) {
					t.Errorf("packet %d: %d bytes at %v ending % x", i, len(p.data), p.at, p.data[size-1:])
				}
			}
		})
	}
}

// The clock stands still in these tests, so that nothing is written for want
// of new frames.
func TestOrderOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.pcapng")
		w, err := Create(path, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		// Each reply is drained after the next probe has been sent.
		const n = 20_000
		at := func(i int) time.Duration { return time.Duration(i) * 10 * time.Microsecond }
		for i := 0; i < n; i += 2 {
			w.Frame(&record.Frame{At: at(i + 1), Sent: true, Data: ether(60, 1)})
			w.Frame(&record.Frame{At: at(i), Data: ether(60, 0)})
			w.Frame(&record.Frame{At: at(i), Data: ether(60, 2)})
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := read(t, path).packets
		if len(got) != n/2*3 {
			t.Fatalf("%d packets, want %d", len(got), n/2*3)
		}
		for i, p := range got {
			want := at(i/3*2 + i%3/2)
			mark := [3]byte{0, 2, 1}[i%3]
			if !p.at.Equal(epoch.Add(want)) || p.data[59] != mark {
				t.Fatalf("packet %d: mark %d at %v, want mark %d at %v", i, p.data[59], p.at.Sub(epoch), mark, want)
			}
		}
	})
}

// Frames get to the file once nothing new has come for a while, so that a
// program that is killed leaves them behind.
func TestQuietWritesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.pcapng")
		w, err := Create(path, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		w.Frame(&record.Frame{At: 1, Sent: true, Data: ether(60, 1)})
		time.Sleep(3 * spread)
		synctest.Wait()
		if got := len(read(t, path).packets); got != 1 {
			t.Errorf("%d packets before Close, want 1", got)
		}
	})
}

func TestOversizedFrameIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.pcapng")
	w, err := Create(path, frame.LinkRaw, "", epoch)
	if err != nil {
		t.Fatal(err)
	}
	w.Frame(&record.Frame{Data: make([]byte, maxFrame+5)})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, path).packets
	if len(got) != 1 || len(got[0].data) != maxFrame || got[0].length != maxFrame+5 {
		t.Fatalf("%d packets, the first %d of %d bytes", len(got), len(got[0].data), got[0].length)
	}
}

func TestCreateErrors(t *testing.T) {
	tests := []struct {
		path, iface, want string
	}{
		{"", "eth0", "no file name"},
		{"-", "eth0", `"-" (standard output) is not possible`},
		{filepath.Join(t.TempDir(), "no/such/folder"), "eth0", "no such file or directory"},
		{filepath.Join(t.TempDir(), "a"), strings.Repeat("e", 256), "interface name of 256 bytes"},
	}
	for _, tt := range tests {
		w, err := Create(tt.path, frame.LinkRaw, tt.iface, epoch)
		if err == nil {
			_ = w.Close()
			t.Errorf("%q: no error", tt.path)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, want one line with %q", tt.path, err, tt.want)
		}
	}
}

func TestDeviceFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here:", err)
	}
	w, err := Create("/dev/full", frame.LinkRaw, "veth7", epoch)
	if !errors.Is(err, syscall.ENOSPC) {
		if err == nil {
			_ = w.Close()
		}
		t.Fatalf("got %v, want ENOSPC", err)
	}
}

func TestFrameAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := newWriter(&memory{}, frame.LinkEthernet, "veth7", epoch)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		b := ether(60, 0)
		w.incoming.entries = make([]entry, 0, 4096)
		w.incoming.data = make([]byte, 0, 4096*60)
		var at time.Duration
		if n := testing.AllocsPerRun(1000, func() { at++; w.Frame(&record.Frame{At: at, Sent: true, Data: b}) }); n != 0 {
			t.Errorf("%v allocations for a frame, want 0", n)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	w, err := newWriter(discard{}, frame.LinkEthernet, "veth7", epoch)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	f := ether(74, 0)
	var at time.Duration
	b.ReportAllocs()
	b.SetBytes(74)
	for b.Loop() {
		at += time.Microsecond
		w.Frame(&record.Frame{At: at, Sent: true, Data: f})
	}
}
