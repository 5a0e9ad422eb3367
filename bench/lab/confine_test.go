package lab

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMask(t *testing.T) {
	for cpu, want := range map[int]string{0: "1", 1: "2", 5: "20", 31: "80000000", 32: "1,00000000", 70: "40,00000000,00000000"} {
		if got := mask(cpu); got != want {
			t.Errorf("processor %d is %q, want %q", cpu, got, want)
		}
	}
}

func TestInTurn(t *testing.T) {
	var set unix.CPUSet
	set.Set(3)
	set.Set(70)
	first, second := inTurn(&set), inTurn(&set)
	if first == second || !set.IsSet(first) || !set.IsSet(second) {
		t.Errorf("processors %d and %d of 3 and 70", first, second)
	}
}

// A program runs where its frames come in, and only there, or anywhere if frames
// can't be steered; those started later run anywhere.
func TestStartConfined(t *testing.T) {
	n := open(t, "line")
	h := n.Host("h1")
	processors := func(start func(*exec.Cmd) error) string {
		cmd := helperCommand("processors")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	anywhere := processors((*exec.Cmd).Start)
	confined := processors(h.StartConfined)
	if after := processors(h.Start); after != anywhere {
		t.Errorf("a program started afterwards runs on %q, want %q", after, anywhere)
	}
	err := h.Do(func() error {
		sysfs, err := mountSysfs()
		if err != nil {
			return err
		}
		defer unix.Close(sysfs)
		queues, err := receiveQueues(sysfs)
		for _, q := range queues {
			steered, err := os.ReadFile(q)
			if err != nil {
				return err
			}
			if got := strings.TrimLeft(string(steered), "0,"); got != confined {
				t.Errorf("%s: %q, the program runs on %q", q, got, confined)
			}
		}
		return err
	})
	if err != nil && confined != anywhere {
		t.Errorf("frames can't be steered (%v), and the program runs on %q, want %q", err, confined, anywhere)
	}
}
