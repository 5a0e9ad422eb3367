package wire

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

func TestParse(t *testing.T) {
	const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
veth1-h1: 100 1 2 3 4 5 6 7 800 9 10 11 12 13 14 15
 short: 1 2
   bad: 1 x 2 3 4 5 6 7 8 9 10 11 12 13 14 15
`
	got, err := parse([]byte(text), "veth1-h1")
	if diff := cmp.Diff(Counters{Received: 1, ReceiveDropped: 3, Sent: 9, SendDropped: 11}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, name := range []string{"veth1", "short", "bad", ""} {
		if _, err := parse([]byte(text), name); err == nil {
			t.Errorf("%q has counters", name)
		}
	}
}

// The link carries nothing by itself, and frames to the far host do not reach
// its IP stack.
func TestPairIsQuiet(t *testing.T) {
	lab.Skip(t)
	p, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := p.DropFar(); err != nil {
		t.Fatal(err)
	}
	e, err := p.Envelope(Near, FarAddr)
	if err != nil || e.Interface.Name != NearLink {
		t.Fatalf("envelope %+v, error %v", e, err)
	}
	before, err := Read(p.Host(Near), NearLink)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	after, err := Read(p.Host(Near), NearLink)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Counters{}, after.Since(before)); diff != "" {
		t.Error(diff)
	}
	if _, err := Read(p.Host(Near), "none"); err == nil {
		t.Error("an interface that is not there has counters")
	}
}
