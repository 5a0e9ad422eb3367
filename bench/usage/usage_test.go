package usage

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestThread(t *testing.T) {
	OnThread(0, func() {
		start, cpu := time.Now(), Thread()
		for time.Since(start) < 20*time.Millisecond {
		}
		if used, wall := Thread()-cpu, time.Since(start); used <= 0 || used > wall+time.Millisecond {
			t.Errorf("a busy thread used %v in %v", used, wall)
		}
		cpu = Thread()
		time.Sleep(20 * time.Millisecond)
		if used := Thread() - cpu; used > 10*time.Millisecond {
			t.Errorf("a sleeping thread used %v", used)
		}
	})
}

func TestPeak(t *testing.T) {
	hog := make([]byte, 64<<20)
	for i := 0; i < len(hog); i += 4096 {
		hog[i] = 1
	}
	if got := Peak(os.Getpid()); got < int64(len(hog)) {
		t.Errorf("peak %d of a process that holds %d", got, len(hog))
	}
	// A child of the shell counts, and our own size does not.
	cmd := exec.Command("sh", "-c", "sleep 60; true")
	if err := cmd.Start(); err != nil {
		t.Skip("needs sh: ", err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for len(children(cmd.Process.Pid)) == 0 {
		if cmd.ProcessState != nil {
			t.Fatal("the shell ended")
		}
		time.Sleep(time.Millisecond)
	}
	defer func(pid int) {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}(children(cmd.Process.Pid)[0])
	if got := Peak(cmd.Process.Pid); got <= 0 || got >= int64(len(hog)) {
		t.Errorf("peak %d of a shell that sleeps", got)
	}
	if got := Peak(-1); got != 0 {
		t.Errorf("peak %d of no process", got)
	}
}
