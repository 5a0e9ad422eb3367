package sink

import (
	"encoding/binary"
	"math"
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Addresses are counted exactly up to a number, then nearly, in memory that
// does not grow, and whoever goes on from a saved count goes on the same way.
func TestResponders(t *testing.T) {
	const exact, all = mostPlaces / 4 * 3, 3_000_000
	at := func(i int) netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x64000000+uint32(i)*3)
		return netip.AddrFrom4(b)
	}
	r := newResponders()
	replies := make([]record.Reply, 2)
	for i := range all {
		replies[0].From, replies[1].From = at(i), at(i/2) // again
		r.add(replies)
		switch n := i + 1; {
		case n <= exact && r.count() != uint64(n):
			t.Fatalf("%d addresses, counted %d", n, r.count())
		case math.Abs(float64(r.count())/float64(n)-1) > 0.02:
			t.Fatalf("%d addresses, counted %d", n, r.count())
		}
		if n := i + 1; n == 1 || n == 1000 || n == exact || n == exact+1 || n == all/2 {
			again := resumed(t, &r)
			if again.count() != r.count() || again.level != r.level {
				t.Errorf("%d addresses, counted %d; %d after going on", n, r.count(), again.count())
			}
			r = again
		}
	}
	if len(r.places) != mostPlaces || r.level == 0 {
		t.Errorf("%d places, level %d", len(r.places), r.level)
	}
}

// resumed is what a run that goes on has.
func resumed(t *testing.T, r *responders) responders {
	t.Helper()
	before := &Sink{found: *r, trace: newCollector(nil)}
	after := &Sink{found: newResponders(), trace: newCollector(nil)}
	if err := after.restore(before.save(nil)); err != nil {
		t.Fatal(err)
	}
	if n, exact := after.Found(); n != r.count() || exact != (r.level == 0) {
		t.Errorf("tells of %d, exactly: %v; want %d", n, exact, r.count())
	}
	return after.found
}
