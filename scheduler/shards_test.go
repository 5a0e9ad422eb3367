package scheduler

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/rx"
)

// asleep is a receiver that waits until there are replies or somebody wakes it.
type asleep struct {
	*echo
	woken chan struct{}
}

func (a *asleep) Wait(time.Duration) error {
	if a.read == a.left {
		<-a.woken
	}
	return nil
}

func (a *asleep) Wake() {
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

func shard(t *testing.T, total int, mute bool) *Engine {
	s, net := newSweep(total), newEcho()
	net.mute = mute
	cfg := loopConfig(t, s, net)
	cfg.Receiver = &asleep{net, make(chan struct{}, 1)}
	return New(cfg)
}

func TestShards(t *testing.T) {
	var shards Shards
	want := uint64(0)
	for n := range 3 {
		shards = append(shards, shard(t, 1000*(n+1), false))
		want += uint64(1000 * (n + 1))
	}
	if err := shards.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c, f := shards.Counts(), shards.Frames()
	if !c.Balanced() || c.Sent != want || c.Matched != want || f.Sent != want || f.Built != want {
		t.Errorf("%d probes, counts %+v, frames %+v", want, c, f)
	}
}

// down is a sender whose interface is gone.
type down struct{ *echo }

func (d down) Flush() (int, error) { return 0, syscall.ENETDOWN }

func TestShardsFirstErrorWins(t *testing.T) {
	s, net := newSweep(1000), newEcho()
	cfg := loopConfig(t, s, net)
	cfg.Sender = down{net}
	shards := Shards{shard(t, 1000, true), New(cfg)}
	if err := shards.Run(context.Background()); !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("Run gave %v", err)
	}
	c, f := shards.Counts(), shards.Frames()
	if !c.Balanced() || c.Sent != c.InFlight || f.Failed != 1 || f.Built != f.Sent+f.Failed+f.Unsent {
		t.Errorf("counts %+v, frames %+v", c, f)
	}
}

func TestShardsInterrupted(t *testing.T) {
	a, b := shard(t, 1000, true), shard(t, 1000, true)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a.cfg.Full = func() bool {
		cancel()
		return false
	}
	done := make(chan error)
	go func() { done <- Shards{a, b}.Run(ctx) }()
	select {
	case err := <-done:
		if !errors.Is(err, ErrInterrupted) {
			t.Errorf("Run gave %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the shards sleep on")
	}
}

var _ Waker = (*rx.Ring)(nil)
