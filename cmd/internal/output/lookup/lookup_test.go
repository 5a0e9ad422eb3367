package lookup

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }

// text makes a Cache whose answers are the addresses in text form, those that
// didn't come "none".
func text(ask func(context.Context, netip.Addr) string) *Cache[string] {
	return New(Config[string]{
		Ask: ask, None: func(netip.Addr) string { return "none" }, Parallel: 2, Timeout: 5 * time.Second,
	})
}

// hang asks for an hour, or as long as its context lasts.
func hang(ctx context.Context, _ netip.Addr) string {
	select {
	case <-time.After(time.Hour):
	case <-ctx.Done():
	}
	return "late"
}

func TestEachAddressOnceFromManyGoroutines(t *testing.T) {
	var asked, running, most atomic.Int32
	c := text(func(_ context.Context, a netip.Addr) string {
		asked.Add(1)
		if n := running.Add(1); n > 2 {
			most.Store(n)
		}
		defer running.Add(-1)
		return a.String()
	})
	defer c.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				c.Start(host(i))
			}
			for i := range 50 {
				if got, want := c.Get(host(i)), host(i).String(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
	if asked.Load() != 50 || most.Load() > 2 {
		t.Errorf("asked %d times with %d at once, want 50 times with 2 at most", asked.Load(), most.Load())
	}
}

// Start doesn't wait for a turn, and the wait for all is one bound.
func TestTimeoutIsOverall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := text(hang)
		defer c.Close()
		began := time.Now()
		for i := range 9 {
			c.Start(host(i))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Start took %v, want 0", took)
		}
		for i := range 9 {
			if got := c.Get(host(i)); got != "none" {
				t.Errorf("got %q, want none", got)
			}
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v, want 5s", took)
		}
	})
}

// A question that ignores its context.
func TestLateAnswerChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan string)
		c := text(func(context.Context, netip.Addr) string { return <-late })
		first := c.Get(host(1))
		late <- "late"
		synctest.Wait()
		if again := c.Get(host(1)); first != "none" || again != first {
			t.Errorf("got %q, then %q, want none twice", first, again)
		}
		c.Close()
	})
}

func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := text(hang)
		got := make(chan string, 3)
		for i := range 3 {
			go func() { got <- c.Get(host(i)) }()
		}
		synctest.Wait()
		began := time.Now()
		c.Close()
		synctest.Wait()
		if len(got) != 3 || time.Since(began) != 0 {
			t.Errorf("%d of 3 waiters returned after %v, want all at once", len(got), time.Since(began))
		}
		c.Start(host(9))
		if answer := c.Get(host(9)); answer != "none" {
			t.Errorf("after Close: got %q, want none", answer)
		}
	})
}

func TestInvalidAddressIsNotAskedAbout(t *testing.T) {
	c := text(func(context.Context, netip.Addr) string { return "asked" })
	defer c.Close()
	if got := c.Get(netip.Addr{}); got != "none" {
		t.Errorf("got %q, want none", got)
	}
}
