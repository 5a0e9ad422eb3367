package survey

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame"
)

// complete runs a survey in which everything answers, and holds its counts and
// replies against the truth.
func complete(t *testing.T, n *internet.Net, truth internet.Config, m frame.Method, args ...string) (metadata, ran) {
	t.Helper()
	dir := t.TempDir()
	before := total(t, n)
	r := survey(t, n, "", append(args, "-w", "3s", "--metadata", dir+"/meta", "-o", "replies:"+dir+"/replies")...)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	got := readReplies(t, dir+"/replies", truth, m)
	var meta metadata
	read(t, dir+"/meta", &meta)
	if meta.Version != option.Version {
		t.Errorf("version %q, and the program's is %s", meta.Version, option.Version)
	}
	after := total(t, n)
	asked, answered := after.Asked-before.Asked, after.Answered-before.Answered
	if c := meta.Counts; c.Sent != asked || c.Matched != answered || uint64(len(got)) != answered || !c.Balanced() || !meta.Complete {
		t.Errorf("counts %+v, %d replies; the Internet was asked %d and answered %d", c, len(got), asked, answered)
	}
	return meta, r
}

func total(t *testing.T, n *internet.Net) internet.Count {
	t.Helper()
	c, err := n.Counters()
	if err != nil {
		t.Fatal(err)
	}
	return c.Total()
}

// Loops side by side send what one would, and each gets its own replies.
func TestLoops(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 9}
	n := open(t, truth)
	for _, mode := range modes {
		for name, m := range names {
			t.Run(mode+"/"+name, func(t *testing.T) {
				args := []string{"--mode", mode, "-M", name, "--rate=max", "-m", "12", "--flows=2", "--loops=3"}
				meta, _ := complete(t, n, truth, m, append(args, targetsOf...)...)
				if mode != "adaptive" && meta.Counts.Sent != 48*2*12 || meta.Progress.Total != meta.Progress.Done || meta.Loops != 3 {
					t.Errorf("%d probes, progress %+v", meta.Counts.Sent, meta.Progress)
				}
			})
		}
	}
}

// Parts of parts are each target once.
func TestLoopsOfShards(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 4}
	n := open(t, truth)
	var sent uint64
	for shard := range 3 {
		meta, _ := complete(t, n, truth, frame.UDP, append(targetsOf, "--mode=full", "--rate=max", "-m", "4", "--seed=9",
			"--loops=2", "--shard", fmt.Sprintf("%d/3", shard))...)
		sent += meta.Counts.Sent
	}
	if sent != 48*4 {
		t.Errorf("%d probes of all shards, want %d", sent, 48*4)
	}
}

// Every sender and both families in one run.
func TestSenders(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 9}
	n := open(t, truth)
	for _, tx := range []string{"packet", "xdp", "auto"} {
		t.Run(tx, func(t *testing.T) {
			meta, r := complete(t, n, truth, frame.UDP, append(targetsOf, "--mode=random", "--rate=max", "-m", "12", "--tx", tx)...)
			refused := strings.Contains(r.stderr, "hopquote survey: probes leave by packet: no AF_XDP")
			if want := strings.Replace(tx, "auto", "packet", 1); (meta.Sender == want) == refused && tx == "xdp" || tx != "xdp" && meta.Sender != want {
				t.Errorf("probes left by %s: %s", meta.Sender, r.stderr)
			}
		})
	}
}

// The kernel does not see what the ring has seen.
func TestKeepKernelOut(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 9}
	n := open(t, truth)
	for _, loops := range []string{"1", "2"} {
		meta, r := complete(t, n, truth, frame.UDP, append(targetsOf, "--mode=random", "--rate=max", "-m", "12",
			"--keep-kernel-out", "--loops", loops)...)
		switch {
		case strings.Contains(r.stderr, "--keep-kernel-out: "):
			t.Skip("the kernel refuses: ", r.stderr)
		case meta.KeptOut != meta.Counts.Received:
			t.Errorf("%d kept out of %d", meta.KeptOut, meta.Counts.Received)
		}
	}
}

// What the kernel refuses is told in one line, and the run goes on without.
func TestRefused(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	r := survey(t, n, "", "--allow-reserved", "--mode=random", "-m", "1", "-w", "50ms", "--tx=xdp", "--keep-kernel-out", "127.0.0.2")
	for _, want := range []string{
		"hopquote survey: --keep-kernel-out: early drop on lo: not on a loopback",
		"hopquote survey: probes leave by packet: no AF_XDP on lo: ",
	} {
		if strings.Count(r.stderr, want) != 1 {
			t.Errorf("want once %q in:\n%s", want, r.stderr)
		}
	}
	if r.code != 0 {
		t.Errorf("exit code %d", r.code)
	}
}

// Memory does not grow with the probes, and a run that stands still for a while
// loses nothing.
func TestStopped(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 9, Silent: 10}
	n := open(t, truth)
	dir := t.TempDir()
	cmd, _, stderr := command(t, "--mode=random", "--rate=20k", "-m", "16", "-w", "500ms", "--metadata", dir+"/meta",
		"-o", "replies:"+dir+"/replies", "20.0.0.0-20.0.9.195")
	if err := n.Host(internet.Prober).Start(cmd); err != nil {
		t.Fatal(err)
	}
	reached := func(probes uint64) {
		for total(t, n).Asked < probes {
			time.Sleep(10 * time.Millisecond)
		}
	}
	reached(8_000)
	early := anonymous(t, cmd.Process.Pid)
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(200 * time.Millisecond)
	_ = cmd.Process.Signal(syscall.SIGCONT)
	reached(30_000)
	late := anonymous(t, cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if late > early+8<<10 {
		t.Errorf("%d KiB of memory late in the run, %d before", late, early)
	}
	var meta metadata
	read(t, dir+"/meta", &meta)
	all := total(t, n)
	got := readReplies(t, dir+"/replies", truth, frame.UDP)
	if c := meta.Counts; c.Sent != all.Asked || c.Matched != all.Answered || uint64(len(got)) != all.Answered || !c.Balanced() || meta.Ring.Drops != 0 {
		t.Errorf("counts %+v, drops %d, the Internet's %+v", c, meta.Ring.Drops, all)
	}
}

// anonymous is the memory of a process that is no file's, in KiB.
func anonymous(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Skip("needs RssAnon in /proc/PID/status (Linux 4.5)")
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Replies that find no room while the run stands still are counted and told,
// and no more are lost than the ring has no room for.
func TestOverrun(t *testing.T) {
	n := open(t, internet.Config{Seed: 5, Silent: 100, SilentHosts: 100})
	dir := t.TempDir()
	const port, flood = 31000, 40_000
	signal, lines, wait := started(t, n, "--mode=random", "--rate=1k", "-m", "16", "-w", "1s", "--sport", strconv.Itoa(port),
		"--status=json", "--status-interval=20ms", "--metadata", dir+"/meta", "-o", "replies:-", "20.0.0.0/26")
	until(t, lines)
	signal(syscall.SIGSTOP)
	sendReplies(t, n, port, flood)
	signal(syscall.SIGCONT)
	var said string
	for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
		if !json.Valid([]byte(line)) {
			said += line
		}
	}
	if code := wait(); code != exitPartial || !strings.Contains(said, "found no room in the receive ring") {
		t.Errorf("exit code %d: %s", code, said)
	}
	var meta metadata
	read(t, dir+"/meta", &meta)
	r, c := meta.Ring, meta.Counts
	// A block of this ring has 32 KiB, and a packet takes less than 256 bytes.
	const room = 64 * (32 << 10) / 256
	if r.Received != flood || r.Received != r.Handed+r.Drops || r.Handed < room || c.Received != r.Handed || !c.Balanced() {
		t.Errorf("ring %+v, counts %+v", r, c)
	}
}

// sendReplies sends replies to probes that nobody sent, from the far side.
func sendReplies(t *testing.T, n *internet.Net, port uint16, count int) {
	t.Helper()
	quote := make([]byte, 28)
	quote[0], quote[3], quote[8], quote[9] = 0x45, 28, 1, 17
	copy(quote[12:], []byte{10, 99, 0, 1, 20, 0, 0, 1})
	binary.BigEndian.PutUint16(quote[20:], port)
	all := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	m := frame.ErrorMessage{
		Link: frame.Link{Type: frame.LinkEthernet, Src: [6]byte{2, 0, 0, 0, 0, 1}, Dst: all}, Type: 11, TTL: 64, Quote: quote,
		From: netip.MustParseAddr("100.64.0.1"), To: netip.MustParseAddr("10.99.0.1"),
	}
	b := m.Append(nil)
	err := n.Host(internet.Far).Do(func() error {
		ifi, err := net.InterfaceByName(internet.FarLink)
		if err != nil {
			return err
		}
		c, err := packet.Listen(ifi, packet.Raw, 0, nil)
		if err != nil {
			return err
		}
		defer c.Close()
		for range count {
			if _, err := c.WriteTo(b, &packet.Addr{HardwareAddr: all[:]}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
