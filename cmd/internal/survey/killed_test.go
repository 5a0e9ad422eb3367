package survey

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	parquetgo "github.com/parquet-go/parquet-go"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
	"github.com/hopquote/hopquote/frame"
)

// watch listens to the probing host's link beside the survey.
type watch struct {
	near  *packet.Conn  // sends the marks
	marks chan struct{} // those that were seen

	mu     sync.Mutex
	probes map[point][]*probed
	by     map[probeID]*probed
}

// mark is a frame of an EtherType for experiments, IEEE 802 section 9.2.3.
var mark = append(bytes.Repeat([]byte{2}, 12), append([]byte{0x88, 0xb5}, make([]byte, 46)...)...)

// settle waits until everything that is on the link is noted: a mark comes
// behind it.
func (w *watch) settle(t *testing.T) {
	t.Helper()
	if _, err := w.near.WriteTo(mark, &packet.Addr{HardwareAddr: mark[:6]}); err != nil {
		t.Fatal("send the mark: ", err)
	}
	select {
	case <-w.marks:
	case <-time.After(time.Minute):
		t.Fatal("the mark is not seen")
	}
}

// probed is a probe on the wire.
type probed struct {
	left, answered time.Time // answered is zero if it was not
}

// probeID is what tells UDP probes over IPv4 apart: destination, identification
// and checksum, all of which are quoted.
type probeID struct {
	dst     [4]byte
	id, sum uint16
}

func (w *watch) take(b []byte) {
	now := time.Now()
	const eth, ip, icmp = 14, 20, 8
	if len(b) < eth+ip+8 || b[12] != 8 || b[13] != 0 || b[eth] != 0x45 {
		return
	}
	b = b[eth:]
	identity := func(b []byte) probeID {
		return probeID{[4]byte(b[16:20]), binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[ip+6:])}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case b[9] == unix.IPPROTO_UDP:
		p := &probed{left: now}
		at := point{dst: netip.AddrFrom4([4]byte(b[16:20])), ttl: int(b[8])}
		w.probes[at], w.by[identity(b)] = append(w.probes[at], p), p
	case b[9] == unix.IPPROTO_ICMP && len(b) >= ip+icmp+ip+8:
		if p := w.by[identity(b[ip+icmp:])]; p != nil && p.answered.IsZero() {
			p.answered = now
		}
	}
}

// listen begins to watch.
func listenTo(t *testing.T, n *internet.Net) *watch {
	t.Helper()
	w := &watch{marks: make(chan struct{}, 1), probes: map[point][]*probed{}, by: map[probeID]*probed{}}
	var c *packet.Conn
	err := n.Host(internet.Prober).Do(func() error {
		ifi, err := net.InterfaceByName(internet.ProberLink)
		if err != nil {
			return err
		}
		if w.near, err = packet.Listen(ifi, packet.Raw, 0, nil); err != nil {
			return err
		}
		c, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = w.near.Close(), c.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			n, _, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if bytes.Equal(b[:n], mark) {
				w.marks <- struct{}{}
				continue
			}
			w.take(b[:n])
		}
	}()
	return w
}

// A survey that is killed sends again what was in flight then and nothing else,
// though its last checkpoint is long past. The wire itself is asked.
func TestKilledInFlight(t *testing.T) {
	const (
		timeout = 100 * time.Millisecond
		slack   = 400 * time.Millisecond // for a machine that is busy with other things
		kills   = 4
	)
	for _, mode := range modes {
		for _, loops := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", mode, loops), func(t *testing.T) {
				t.Parallel()
				n := open(t, internet.Config{Seed: 5, MinHops: 8, MaxHops: 14, Silent: 5, SilentHosts: 10})
				w := listenTo(t, n)
				dir := t.TempDir()
				args := []string{
					"--mode", mode, "--loops", fmt.Sprint(loops), "--rate=400", "-m", "16", "-w", timeout.String(), "--status=json", "--status-interval=20ms",
					"--checkpoint", dir + "/check", "--checkpoint-interval=1h", "--metadata", dir + "/meta", "-o", "replies:" + dir + "/replies", "20.1.0.0/24",
				}
				if mode == "adaptive" {
					args = append(args, "20.2.0.0-20.2.2.255") // it takes fewer probes for each
				}
				var killed []kill
				for {
					signal, lines, wait := started(t, n, args...)
					if len(killed) < kills {
						until(t, lines)
						time.Sleep(2 * (timeout + slack)) // half of what left by then is settled
						killed = append(killed, kill{asked: time.Now()})
						signal(syscall.SIGKILL)
					}
					rest, _ := io.ReadAll(lines)
					code := wait()
					if code == 0 {
						break
					}
					if code != -1 {
						t.Fatalf("exit code %d: %s", code, rest)
					}
					w.settle(t)
					killed[len(killed)-1].done = time.Now()
					args = []string{"--resume", dir + "/check", "--status=json", "--status-interval=20ms"}
					if len(killed) == kills {
						args = append(args, "--rate=20k")
					}
				}
				var meta metadata
				read(t, dir+"/meta", &meta)
				if !meta.Complete || meta.Runs != len(killed)+1 || !meta.Counts.Balanced() {
					t.Errorf("complete %v after %d runs, counts %+v", meta.Complete, meta.Runs, meta.Counts)
				}
				// What left in the last round before a kill may not be written down.
				asked := total(t, n).Asked
				if known := meta.Counts.Sent + meta.Resent; asked < known || asked > known+kills*maxBatch*uint64(loops) {
					t.Errorf("the Internet was asked %d times, known are %d and %d again", asked, meta.Counts.Sent, meta.Resent)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				again := 0
				for at, probes := range w.probes {
					for i, p := range probes[:len(probes)-1] {
						again++
						k := before(killed, probes[i+1].left)
						switch {
						case p.left.After(k.done):
							t.Errorf("%v left twice in one run", at)
						case !p.answered.IsZero() && k.asked.Sub(p.answered) > slack:
							t.Errorf("%v left again, and was answered %v before the kill", at, k.asked.Sub(p.answered))
						case k.asked.Sub(p.left) > timeout+slack:
							t.Errorf("%v left again, and left %v before the kill", at, k.asked.Sub(p.left))
						}
					}
				}
				t.Logf("%d probes, %d of them again, %d in the metadata", asked, again, meta.Resent)
				if left, _ := os.ReadDir(dir); len(left) != 3 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	}
}

// kill is from when it was asked for to when the run was gone.
type kill struct{ asked, done time.Time }

// before is the last kill before a time.
func before(kills []kill, at time.Time) kill {
	var last kill
	for _, k := range kills {
		if k.asked.Before(at) {
			last = k
		}
	}
	return last
}

// Where an output fails that can't be written behind what is lost, such as a
// compressed one, the checkpoint and the journal have all of it: nothing is sent
// again.
func TestFailureOfPacked(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8}
	const probes = 8 * 256
	for name, rows := range map[string]func(t *testing.T, file string) int{
		"csv:out.gz":      func(t *testing.T, file string) int { return bytes.Count(unpacked(t, file), []byte("\n")) - 1 },
		"replies:out.zst": func(t *testing.T, file string) int { return bytes.Count(unpacked(t, file), []byte("\n")) - 1 },
		"parquet:out.parquet": func(t *testing.T, file string) int {
			list, err := parquetgo.ReadFile[parquet.Row](file)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := open(t, truth)
			dir := t.TempDir()
			small, enlarge := smallDisk(t, "16k")
			kind, file, _ := strings.Cut(name, ":")
			file = filepath.Join(small, file)
			r := survey(t, n, "", "--rate=20k", "--mode=full", "-m", "8", "--checkpoint", dir+"/check", "-o", kind+":"+file, "-o", "csv:"+dir+"/csv", "20.0.0.0/24")
			if r.code != 3 || !strings.Contains(r.stderr, "no space left on device; go on with: hopquote survey --resume "+dir+"/check\n") {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			enlarge("1m")
			goOn(t, n, dir+"/check")
			b, _ := os.ReadFile(dir + "/csv")
			if got, lines := rows(t, file), bytes.Count(b, []byte("\n"))-1; got != probes || lines != probes {
				t.Errorf("%d rows and %d lines, want %d", got, lines, probes)
			}
			if asked := total(t, n).Asked; asked != probes {
				t.Errorf("%d probes, want %d", asked, probes)
			}
		})
	}
}

// Without its journal, or with one cut short, a checkpoint is still good for a
// survey in which nothing is missing and nothing there twice.
func TestJournalGone(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8}
	for name, spoil := range map[string]struct {
		do   func(file string) error
		says string
	}{
		"gone": {os.Remove, "no such file or directory: all that left since the checkpoint is sent again\n"},
		"of others": {func(file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[bytes.IndexByte(b, '\n')+1]++ // its id
			return os.WriteFile(file, b, 0o600)
		}, "it is of another run: all that left since"},
		"cut": {func(file string) error { return os.Truncate(file, 1000) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := open(t, truth)
			dir := t.TempDir()
			signal, lines, wait := started(t, n, "--rate=200", "--mode=full", "-m", "8", "--status=json", "--status-interval=20ms",
				"--checkpoint", dir+"/check", "--checkpoint-interval=1h", "-o", "replies:"+dir+"/replies", "20.1.0.0/26")
			for until(t, lines).Answered < 50 {
			}
			signal(syscall.SIGKILL)
			rest, _ := io.ReadAll(lines)
			if code := wait(); code != -1 {
				t.Fatalf("exit code %d: %s", code, rest)
			}
			if err := spoil.do(dir + "/check.journal-1"); err != nil {
				t.Fatal(err)
			}
			r := survey(t, n, "", "--resume", dir+"/check", "--rate=20k")
			if r.code != 0 || !strings.Contains(r.stderr, spoil.says) || spoil.says == "" && strings.Contains(r.stderr, "journal") {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			if got := readReplies(t, dir+"/replies", truth, frame.UDP); len(got) != 8*64 {
				t.Errorf("%d replies, want %d", len(got), 8*64)
			}
		})
	}
}
