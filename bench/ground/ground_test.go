package ground

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

func open(t *testing.T) *Ground {
	t.Helper()
	lab.Skip(t)
	g, err := Open(Config{Seed: 1, Inline: true, Hops: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := os.Stat(g.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind: %v", g.Dir, err)
		}
	})
	return g
}

func TestTargets(t *testing.T) {
	if got := fmt.Sprint(Target(0), Target(256), Target(MaxTargets-1)); got != "20.0.0.0 20.0.1.0 20.63.255.255" {
		t.Errorf("targets %s", got)
	}
	for n, want := range map[int]string{1: "20.0.0.0/32", 2: "20.0.0.0/31", 256: "20.0.0.0/24", 257: "20.0.0.0/23"} {
		p := Prefix(n)
		if p.String() != want || !p.Contains(Target(n-1)) {
			t.Errorf("prefix of %d targets is %s, want %s", n, p, want)
		}
	}
	g := open(t)
	path, err := g.WriteTargets(3)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "20.0.0.0\n20.0.0.1\n20.0.0.2\n" {
		t.Errorf("targets %q, error %v", text, err)
	}
	if _, err := g.WriteTargets(0); err == nil {
		t.Error("no targets are no error")
	}
}

// A program's probes are counted, and what it printed and took is known.
func TestRun(t *testing.T) {
	g := open(t)
	var r Result
	truth, err := g.Observe(func() (err error) {
		// ping(8) may be missing; the shell's own UDP is not. Three datagrams.
		r, err = g.Run(t.Context(), Program{
			Command: `for i in 1 2 3; do echo $i; echo x 2>/dev/null > /dev/udp/20.0.0.9/33434; done; sleep 0.2; echo done >&2; exit 3`,
			Stdout:  g.File("out"), Limit: 10 * time.Second, Memory: true,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 3 || r.TimedOut || r.Stderr != "done" || r.Wall <= 0 || r.Output <= 0 || r.Output > r.Wall || r.Peak <= 0 {
		t.Errorf("result %+v", r)
	}
	if text, err := os.ReadFile(g.File("out")); string(text) != "1\n2\n3\n" || err != nil {
		t.Errorf("output %q, error %v", text, err)
	}
	// /bin/sh need not know /dev/udp: then nothing is asked.
	if truth.Asked != truth.Answered || truth.Lost() != 0 || truth.Left != truth.Asked+truth.Other {
		t.Errorf("truth %+v", truth)
	}
}

// A program that does not end is ended, with all that it started.
func TestLimit(t *testing.T) {
	g := open(t)
	r, err := g.Run(t.Context(), Program{Command: `sleep 300 & echo $!; wait`, Stdout: g.File("out"), Limit: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if !r.TimedOut || r.Code != 128+int(unix.SIGTERM) {
		t.Errorf("result %+v, want one that was ended", r)
	}
	text, err := os.ReadFile(g.File("out"))
	if err != nil {
		t.Fatal(err)
	}
	state := fmt.Sprintf("/proc/%s/stat", strings.TrimSpace(string(text)))
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(state)
		if err != nil || strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what the program started still runs")
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r, err := g.Run(ctx, Program{Command: `sleep 300`, Stdout: g.File("out"), Limit: time.Minute}); err != nil || r.TimedOut || r.Code == 0 {
		t.Errorf("result %+v, error %v; want one that was interrupted", r, err)
	}
}

func TestRates(t *testing.T) {
	start := time.Unix(0, 0)
	at := func(ms int, asked uint64) point { return point{start.Add(time.Duration(ms) * time.Millisecond), asked} }
	var steady []point
	for i := range 101 { // a probe a millisecond for half a second, after 250 ms and before 245
		steady = append(steady, at(i*10, uint64(min(max(i*10-250, 0), 500))))
	}
	straggler := append(steady[:len(steady):len(steady)], at(9000, 500), at(9005, 501))
	// A hundred at once, every 400 ms.
	var bursts []point
	for i := range 401 {
		bursts = append(bursts, at(i*5, uint64((i+79)/80)*100))
	}
	for _, c := range []struct {
		name         string
		points       []point
		rate, top    float64
		milliseconds int64
	}{
		{"none", []point{at(0, 5), at(5, 5)}, 0, 0, 0},
		{"short", []point{at(0, 0), at(5, 0), at(10, 10), at(15, 20), at(20, 20)}, 2000, 2000, 10},
		{"steady", steady, 1000, 1000, 500},
		{"with a straggler", straggler, 1000, 1000, 500},
		{"bursts", bursts, 500 / 1.605, 100 / 0.1, 1605},
	} {
		w := watcher{points: c.points}
		rate, top, took := w.rates()
		if rate != c.rate || top != c.top || took.Milliseconds() != c.milliseconds {
			t.Errorf("%s: %v, top %v, in %v; want %v, %v, %d ms", c.name, rate, top, took, c.rate, c.top, c.milliseconds)
		}
	}
}

func TestOthersThanFirst(t *testing.T) {
	if othersThanFirst()&1 != 0 {
		t.Error("the first CPU is among the others")
	}
	if !netip.MustParsePrefix("20.0.0.0/8").Contains(Target(MaxTargets - 1)) {
		t.Error("targets leave their /8")
	}
}
