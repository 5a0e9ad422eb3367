package internet

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// What the program returns, as the kernel knows it.
const (
	returnsDrop     = 2
	returnsRedirect = 7
)

// twins are the program, which the kernel runs on frames of ours without any
// link, and the responder.
type twins struct {
	program   *program
	late      *ringbuf.Reader
	responder responder
}

func newTwins(t testing.TB, c Config) *twins {
	t.Helper()
	lab.Skip(t)
	c = c.withDefaults()
	p, err := load(&c, testMAC)
	if err != nil && isForbidden(err) {
		t.Skip("needs the right to load eBPF programs: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.close() })
	late, err := ringbuf.NewReader(p.Late)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { late.Close() })
	return &twins{p, late, responder{config: c, mac: testMAC, limits: newLimits(&c)}}
}

// compare has both answer a frame, and tells whether there was an answer.
func (w *twins) compare(t testing.TB, f []byte) bool {
	t.Helper()
	options := ebpf.RunOptions{Data: f, DataOut: make([]byte, 4096)}
	verdict, err := w.program.Internet.Run(&options)
	if errors.Is(err, unix.EINVAL) {
		return false // too short for such a run; TestNoProbes sends the like over a link
	}
	if err != nil {
		t.Fatal(err)
	}
	want := w.responder.respond(f, nil)
	wantVerdict := uint32(returnsDrop)
	var got []byte
	isLate := w.responder.fate == late
	if want != nil && !isLate {
		wantVerdict = returnsRedirect
	}
	if verdict == returnsRedirect {
		got = options.DataOut
	}
	if verdict != wantVerdict {
		t.Fatalf("program returns %d, want %d, for frame %x", verdict, wantVerdict, f)
	}
	if isLate {
		got = w.readLate(t)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("reply to frame %x (-responder +program):\n%s", f, diff)
	}
	counts, err := w.program.counters()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.responder.counts, counts); diff != "" {
		t.Fatalf("counters after frame %x (-responder +program):\n%s", f, diff)
	}
	return want != nil
}

// readLate gives the late reply to the latest frame.
func (w *twins) readLate(t testing.TB) []byte {
	t.Helper()
	w.late.SetDeadline(time.Now().Add(long))
	record, err := w.late.Read()
	if err != nil {
		t.Fatal("no late reply: ", err)
	}
	b := record.RawSample
	if b[0] == 1 != w.responder.v6 || b[1] != byte(w.responder.method) {
		t.Errorf("late reply to method %d, IPv6 %d, want %d, %v", b[1], b[0], w.responder.method, w.responder.v6)
	}
	return b[skew:]
}

func TestProgramIsResponder(t *testing.T) {
	for name, c := range testConfigs() {
		t.Run(name, func(t *testing.T) {
			w := newTwins(t, c)
			r := rand.New(rand.NewPCG(1, c.Seed))
			answered := 0
			for range 1000 {
				f, _ := buildProbe(t, &w.responder.config, randomProbe(&w.responder.config, r))
				switch r.IntN(8) {
				case 0:
					spoil(f, r)
				case 1:
					f = f[:14+r.IntN(len(f)-13)]
				case 2:
					f = append(f, make([]byte, r.IntN(20))...) // as short frames are padded
				}
				if w.compare(t, f) {
					answered++
				}
			}
			if answered < 300 {
				t.Errorf("%d of 1000 frames are answered, want 300 or more", answered)
			}
		})
	}
}

// spoil changes a few bytes, mostly of the headers.
func spoil(f []byte, r *rand.Rand) {
	for range 1 + r.IntN(3) {
		f[r.IntN(min(len(f), 80))] = byte(r.Uint32())
	}
}

func FuzzProgramIsResponder(f *testing.F) {
	c := Config{
		Open: []uint16{80}, Silent: 10, Guarded: 20, Services: 50, Diamonds: 30, Loops: 20, Unreachable: 20,
		Limited: 50, LimitEvery: time.Hour, LimitBurst: 1000, Duplicates: 10, Late: 10,
	}.withDefaults()
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		b, _ := buildProbe(f, &c, randomProbe(&c, r))
		f.Add(b)
	}
	w := newTwins(f, c)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= 1514 {
			w.compare(t, b)
		}
	})
}
