package internet

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/hopquote/hopquote/rx"
)

// TestCPUs has another CPU answer: all is answered, if later.
func TestCPUs(t *testing.T) {
	c := Config{CPUs: 1}
	n := inKernel(t, c)
	w := newWire(t, n, c, rx.RingConfig{})
	const probes, batch = 3000, 64
	matched := 0
	match := func(data []byte, m *rx.Match) {
		if m.Verdict != rx.Exact {
			t.Errorf("verdict %v (%v): %x", m.Verdict, m.Reason, data)
		}
		matched++
	}
	for i := range probes {
		w.ask(t, i, probeAt(i, i%6))
		if i%batch == 0 { // no more in flight than a CPU's queue takes
			w.until(t, func() bool { return matched == i+1 }, match)
		}
	}
	w.until(t, func() bool { return matched == probes }, match)
}

// TestBacklog looks at the setting of the machine while an Internet has it
// changed, and afterwards. Other programs may need it at the same time: the last
// of them restores it.
func TestBacklog(t *testing.T) {
	old, err := readSetting(backlogFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs the machine's first network namespace: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := inKernel(t, Config{Backlog: old + 1})
	got, err := readSetting(backlogFile)
	if err != nil || got < old+1 {
		t.Errorf("backlog %d, error %v, want %d or more", got, err, old+1)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	gate, err := openGate(backlogLock)
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	users, err := os.OpenFile(backlogLock, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	alone, err := (&backlog{users: users}).isAlone()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readSetting(backlogFile); err != nil || alone && got == old+1 {
		t.Errorf("backlog %d after Close, error %v, want it restored to %d", got, err, old)
	}
}
