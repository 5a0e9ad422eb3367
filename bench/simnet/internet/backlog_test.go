package internet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// backlogVar makes the test binary one that raises the backlog in the folder
// that it names, tells so and waits to be killed.
const backlogVar = "HOPQUOTE_TEST_BACKLOG"

// holdBacklog is that binary.
func holdBacklog(dir string) int {
	if _, err := raiseBacklog(filepath.Join(dir, "setting"), filepath.Join(dir, "lock"), 7000); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("raised")
	_ = unix.Pause()
	return 0
}

// machine is a folder that stands for one whose backlog is 1000.
type machine struct{ setting, lock string }

func newMachine(t *testing.T) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{filepath.Join(dir, "setting"), filepath.Join(dir, "lock")}
	m.write(t, 1000)
	return m
}

func (m machine) write(t *testing.T, n int) {
	t.Helper()
	if err := os.WriteFile(m.setting, []byte(strconv.Itoa(n)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m machine) raise(t *testing.T, want int) *backlog {
	t.Helper()
	b, err := raiseBacklog(m.setting, m.lock, want)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (m machine) lower(t *testing.T, b *backlog) {
	t.Helper()
	if err := b.lower(); err != nil {
		t.Fatal(err)
	}
}

func (m machine) has(t *testing.T, when string, want int) {
	t.Helper()
	if got, err := readSetting(m.setting); err != nil || got != want {
		t.Errorf("%s: backlog %d, error %v, want %d", when, got, err, want)
	}
}

// In whatever order Internets come and go, each has what it needs and the last
// one restores what the machine had.
func TestSharedBacklog(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {1, 0, 2}} {
		m := newMachine(t)
		var all []*backlog
		for _, want := range []int{5000, 3000, 8000} {
			all = append(all, m.raise(t, want))
		}
		m.has(t, "all are there", 8000)
		for _, i := range order[:2] {
			m.lower(t, all[i])
			m.has(t, fmt.Sprintf("%v: the last is there", order), 8000)
		}
		m.lower(t, all[order[2]])
		m.has(t, fmt.Sprintf("%v: all are gone", order), 1000)
		b := m.raise(t, 2000)
		m.has(t, "another came", 2000)
		m.lower(t, b)
		m.has(t, "it is gone too", 1000)
	}
}

func TestBacklogOfOthers(t *testing.T) {
	m := newMachine(t)
	b := m.raise(t, 500)
	m.has(t, "less was asked for than there is", 1000)
	m.lower(t, b)
	m.has(t, "less was asked for than there was", 1000)
	b = m.raise(t, 5000)
	m.write(t, 6000)
	m.lower(t, b)
	m.has(t, "somebody else has set it", 6000)
}

// One that is killed restores nothing: the next one does, which need not come
// before the others are gone.
func TestBacklogAfterKill(t *testing.T) {
	for _, another := range []bool{false, true} {
		m := newMachine(t)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var b *backlog
		if another {
			b = m.raise(t, 5000)
		}
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), backlogVar+"="+filepath.Dir(m.setting))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		m.has(t, "another process has come", 7000)
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		m.has(t, "it was killed", 7000)
		if !another {
			b = m.raise(t, 2000)
		}
		m.lower(t, b)
		m.has(t, fmt.Sprintf("all are gone, another was there: %t", another), 1000)
	}
}
