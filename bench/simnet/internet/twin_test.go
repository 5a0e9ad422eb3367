package internet

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cilium/ebpf"
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
	return &twins{p, responder{config: c, mac: testMAC, limits: newLimits(&c)}}
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
	if want != nil {
		wantVerdict = returnsRedirect
	}
	if verdict == returnsRedirect {
		got = options.DataOut
	}
	if verdict != wantVerdict {
		t.Fatalf("program returns %d, want %d, for frame %x", verdict, wantVerdict, f)
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
	c := Config{Open: []uint16{80}, Silent: 10}.withDefaults()
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
