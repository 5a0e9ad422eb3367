package attribute

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
)

// edit changes what one device on the way may change, by name.
func edit(r *rand.Rand, q []byte) []byte {
	v6 := q[0]>>4 == 6
	head := 20
	if v6 {
		head = 40
	}
	flip := func(at, n int) {
		for i := range n {
			if at+i < len(q) {
				q[at+i] = byte(r.Uint32())
			}
		}
	}
	switch r.IntN(10) {
	case 0:
		flip(1, 1) // TOS; class and label
	case 1:
		if !v6 {
			flip(4, 2) // identification
		}
	case 2:
		flip(head, 2) // source port; ICMP type and code
	case 3:
		flip(head+2, 2) // destination port; ICMP checksum
	case 4:
		flip(head+4, 4) // TCP and ICMP sequence; UDP length and checksum
	case 5:
		if v6 {
			flip(38, 2)
		} else {
			flip(18, 2) // destination
		}
	case 6:
		if v6 {
			flip(22, 2)
		} else {
			flip(14, 2) // source
		}
	case 7:
		q = q[:r.IntN(len(q)+1)]
	case 8:
		flip(2, 2)
	case 9:
		flip(r.IntN(len(q)), 1)
	}
	return q
}

// No reply is attributed to a probe that did not cause it, whatever one or two
// devices do to the quote; and one that comes back as it was always is.
func TestNeverToAnother(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		edits := rapid.IntRange(0, 2).Draw(rt, "edits")
		tracker := New(small())
		var res Result
		var probes []frame.Probe
		var sent [][]byte
		for i := range 40 {
			p := random(r)
			b := build(t, p)
			probes, sent = append(probes, p), append(sent, b)
			tracker.Packet(time.Duration(i), 0, b, &res)
			if res.Class != Probe {
				rt.Fatalf("%+v is a %v", p, res.Class)
			}
		}
		for i, b := range sent {
			q := expire(b)
			for range edits {
				if len(q) > 0 {
					q = edit(r, q)
				}
			}
			tracker.Packet(time.Second/2, 0, exceeded(&probes[i], q), &res)
			switch {
			case res.Class != Reply:
				rt.Fatalf("reply is a %v %v", res.Class, res.Reason)
			case res.Verdict.Attributed() && res.Cause.Number != uint64(i+1):
				rt.Fatalf("quote % x of % x taken for that of % x by rule %s", q, b, res.Cause.Bytes, res.Rule)
			case edits == 0 && res.Verdict != Exact:
				rt.Fatalf("%v %v for % x", res.Verdict, res.Flags, q)
			}
		}
		if c := tracker.Counts(); !c.Balanced() || c.Received() != 40 {
			rt.Fatalf("%+v", c)
		}
	})
}

// The scores of every key balance with the replies.
func TestScoresBalance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tracker := New(small())
	var res Result
	replies := uint64(0)
	for i := range 500 {
		p := random(r)
		b := build(t, p)
		tracker.Packet(time.Duration(2*i)*time.Millisecond, 0, b, &res)
		for range r.IntN(3) {
			q := expire(b)
			if r.IntN(2) == 0 {
				q = edit(r, q)
			}
			tracker.Packet(time.Duration(2*i+1)*time.Millisecond, 0, exceeded(&p, q), &res)
			if res.Target.IsValid() {
				replies++
			}
		}
	}
	for _, k := range tracker.Scores() {
		s := k.Errors
		s.Add(&k.Answers)
		if n := s.Right + s.Wrong + s.Ambiguous + s.None + s.False + s.Refused; n != replies {
			t.Errorf("%s: %d replies judged, want %d: %+v", k.Key.Name, n, replies, s)
		}
	}
	if all := tracker.Scores(); all[len(all)-1].Errors.Right == 0 {
		t.Error("the last key found nothing")
	}
}
