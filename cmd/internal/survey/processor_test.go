package survey

import (
	"os"
	"slices"
	"testing"
)

// The line of packets taken in is found, with the processors that are off.
func TestReceived(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []uint64
	}{
		"two":        {"                    CPU0       CPU1\n          HI:          1          0\n      NET_TX:          5          6\n      NET_RX:        123          7\n", []uint64{123, 7}},
		"one is off": {"      CPU0 CPU2\nNET_RX: 1 3\n", []uint64{1, 0, 3}},
		"none":       {"CPU0\nHI: 1\n", nil},
		"short":      {"CPU0 CPU1\nNET_RX: 1\n", nil},
		"no number":  {"CPU0 CPU1\nNET_RX: 1 x\n", nil},
		"no name":    {"CPU0 GPU\nNET_RX: 1 2\n", nil},
		"twice":      {"CPU1 CPU1\nNET_RX: 1 2\n", nil},
		"far":        {"CPU999999999\nNET_RX: 1\n", nil},
		"empty":      {"", nil},
	} {
		if got := received([]byte(c.file)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if b, err := os.ReadFile("/proc/softirqs"); err != nil || received(b) == nil {
		t.Errorf("of this machine: %v, %v", received(b), err)
	}
}

func TestBusiest(t *testing.T) {
	for _, c := range []struct {
		before, now []uint64
		want        int
	}{
		{[]uint64{10, 20}, []uint64{1010, 20}, 0},
		{[]uint64{10, 20}, []uint64{20, 1020}, 1},
		{[]uint64{0, 0, 0}, []uint64{750, 250, 0}, 0},
		{[]uint64{0, 0}, []uint64{740, 260}, -1},
		{[]uint64{0, 0}, []uint64{99, 0}, -1},
		{nil, []uint64{1000}, -1},
		{nil, nil, -1},
	} {
		if got := busiest(c.before, c.now); got != c.want {
			t.Errorf("%v, then %v: processor %d, want %d", c.before, c.now, got, c.want)
		}
	}
}
