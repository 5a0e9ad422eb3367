package lab

import (
	"bytes"
	"os"
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

// A program runs where its frames come in, and only there; those started later
// run anywhere.
func TestStartConfined(t *testing.T) {
	n := open(t, "line")
	h := n.Host("h1")
	cmd := helperCommand("processors")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := h.StartConfined(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
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
			if trimmed := bytes.TrimLeft(bytes.TrimSpace(steered), "0,"); !bytes.Equal(trimmed, bytes.TrimSpace(out.Bytes())) {
				t.Errorf("%s: %s, the program runs on %q", q, steered, out.String())
			}
		}
		return err
	})
	if err != nil {
		t.Skipf("the kernel can't steer frames: %v", err)
	}

	var before, after bytes.Buffer
	for _, c := range []*bytes.Buffer{&before, &after} {
		cmd := helperCommand("processors")
		cmd.Stdout = c
		if c == &before {
			err = cmd.Start()
		} else {
			err = h.Start(cmd)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if before.String() != after.String() {
		t.Errorf("processors of a program started afterwards: %q, of one outside of the network: %q", after.String(), before.String())
	}
}
