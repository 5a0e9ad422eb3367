package survey

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A loop that shares a processor with the kernel's work on what comes in gets
// half of it. The scheduler puts it there all the same: what wakes the loop is
// that work. So where one processor takes in nearly everything, the loops of a
// fast survey keep off it.

const (
	// fastRate is how many probes a second a survey has at least that cares.
	fastRate = 100_000
	// lookEvery is how often processors are looked at, lookAfter how long they are
	// watched, and leastWork how often one must have taken something in by then.
	lookEvery = 20 * time.Millisecond
	lookAfter = 100 * time.Millisecond
	leastWork = 100
)

// keepOff moves the loops from the processor that takes in nearly all packets,
// until stop is closed. Where the work follows them, as it does where a packet
// is taken in by who sends it, they get their freedom back.
func (r *run) keepOff(stop <-chan struct{}) {
	var allowed, kept unix.CPUSet
	if r.record.Rate > 0 && r.record.Rate < fastRate || unix.SchedGetaffinity(0, &allowed) != nil || allowed.Count() <= r.o.loops {
		return
	}
	before := takenIn()
	wait := func(d time.Duration) (now []uint64, ok bool) {
		select {
		case <-stop:
			return nil, false
		case <-time.After(d):
			return takenIn(), true
		}
	}
	busy := -1
	for watched := time.Duration(0); busy < 0 && watched < lookAfter; watched += lookEvery {
		now, ok := wait(lookEvery)
		if !ok {
			return
		}
		busy = busiest(before, now)
	}
	if busy < 0 || !allowed.IsSet(busy) {
		return
	}
	kept = allowed
	kept.Clear(busy)
	r.place(&kept)
	before = takenIn()
	if now, ok := wait(lookAfter); ok {
		if busy = busiest(before, now); busy < 0 || kept.IsSet(busy) {
			r.place(&allowed)
		}
	}
}

// place puts the threads of the loops on processors.
func (r *run) place(on *unix.CPUSet) {
	for _, w := range r.loops {
		if thread := w.thread.Load(); thread != 0 {
			_ = unix.SchedSetaffinity(int(thread), on) // a thread that has ended needs no place
		}
	}
}

// busiest gives the processor that did nearly all of the work between two
// counts, -1 for none.
func busiest(before, now []uint64) int {
	var all, most uint64
	at := -1
	for i := range min(len(before), len(now)) {
		n := now[i] - before[i]
		if all += n; n > most {
			most, at = n, i
		}
	}
	if all < leastWork || most < all-all/4 {
		return -1
	}
	return at
}

// takenIn is how often each processor took packets in since the machine began,
// as the kernel counts it for the whole machine; nil if it doesn't tell.
func takenIn() []uint64 {
	b, _ := os.ReadFile("/proc/softirqs")
	return received(b)
}

// received reads the line NET_RX of /proc/softirqs, proc(5).
func received(b []byte) (counts []uint64) {
	var processors [][]byte
	for i, line := range bytes.Split(b, []byte("\n")) {
		fields := bytes.Fields(line)
		switch {
		case i == 0:
			processors = fields
		case len(fields) == len(processors)+1 && string(fields[0]) == "NET_RX:":
			for at, field := range fields[1:] {
				// Processors that are off have no column.
				number, err := strconv.Atoi(string(bytes.TrimPrefix(processors[at], []byte("CPU"))))
				n, nerr := strconv.ParseUint(string(field), 10, 64)
				if err != nil || nerr != nil || number < len(counts) || number >= maxProcessors {
					return nil
				}
				for len(counts) < number {
					counts = append(counts, 0)
				}
				counts = append(counts, n)
			}
			return counts
		}
	}
	return nil
}

// maxProcessors is how many a unix.CPUSet has room for.
const maxProcessors = 1024
