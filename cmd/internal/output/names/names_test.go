package names

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errNotFound = errors.New("no such host")

// fake answers from a map after a delay, and counts.
type fake struct {
	names map[string][]string
	delay time.Duration

	mu      sync.Mutex
	asked   map[string]int
	running int
	most    int
}

func (f *fake) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	f.mu.Lock()
	if f.asked == nil {
		f.asked = make(map[string]int)
	}
	f.asked[addr]++
	f.running++
	f.most = max(f.most, f.running)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.running--
		f.mu.Unlock()
	}()
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if n, ok := f.names[addr]; ok {
		return n, nil
	}
	return nil, errNotFound
}

func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }

func TestName(t *testing.T) {
	long := strings.Repeat("a", 255)
	tests := []struct {
		name, addr string
		answer     []string
		want       string
	}{
		{"one name", "10.0.0.1", []string{"gw.example.net."}, "gw.example.net"},
		{"first of several", "10.0.0.1", []string{"a.example.net.", "b.example.net."}, "a.example.net"},
		{"no dot", "10.0.0.1", []string{"gw"}, "gw"},
		{"IPv6", "fd00::1", []string{"gw6."}, "gw6"},
		{"nothing", "10.0.0.1", nil, "10.0.0.1"},
		{"empty", "10.0.0.1", []string{""}, "10.0.0.1"},
		{"root", "10.0.0.1", []string{"."}, "10.0.0.1"},
		{"longest", "10.0.0.1", []string{long + "."}, long},
		{"too long", "10.0.0.1", []string{long + "a"}, "10.0.0.1"},
		{"newline", "10.0.0.1", []string{"a\n 2  10.9.9.9  1.000 ms"}, "10.0.0.1"},
		{"escape", "10.0.0.1", []string{"\x1b[2Ja"}, "10.0.0.1"},
		{"NUL", "10.0.0.1", []string{"a\x00b"}, "10.0.0.1"},
		{"blank", "10.0.0.1", []string{"a (10.9.9.9)"}, "10.0.0.1"},
		{"delete", "10.0.0.1", []string{"a\x7f"}, "10.0.0.1"},
		{"C1 control", "10.0.0.1", []string{"a\u009b2J"}, "10.0.0.1"},
		{"right-to-left", "10.0.0.1", []string{"a\u202eb"}, "10.0.0.1"},
		{"not UTF-8", "10.0.0.1", []string{"a\xff"}, "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Config{Resolver: &fake{names: map[string][]string{tt.addr: tt.answer}}})
			defer c.Close()
			if got := c.Name(netip.MustParseAddr(tt.addr)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEachAddressOnce(t *testing.T) {
	f := &fake{names: map[string][]string{"10.0.0.1": {"gw."}}}
	c := New(Config{Resolver: f})
	defer c.Close()
	for range 3 {
		c.Start(host(1))
		c.Name(host(1))
		c.Name(host(2))
	}
	if diff := cmp.Diff(map[string]int{"10.0.0.1": 1, "10.0.0.2": 1}, f.asked); diff != "" {
		t.Errorf("look-ups (-want +got):\n%s", diff)
	}
}

// Forty addresses of a slow resolver take two rounds of sixteen and one of
// eight, however they are asked for.
func TestParallelIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{delay: time.Second}
		c := New(Config{Resolver: f})
		defer c.Close()
		began := time.Now()
		for i := range 40 {
			c.Start(host(i))
		}
		for i := range 40 {
			c.Name(host(i))
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("40 look-ups of 1 s took %v, want 3s", took)
		}
		if f.most != 16 {
			t.Errorf("%d look-ups at once, want 16", f.most)
		}
	})
}

// A dead resolver costs the bound once for all addresses, those that never
// got their turn included.
func TestTimeoutIsOverall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Resolver: &fake{delay: time.Hour}, Parallel: 2})
		defer c.Close()
		began := time.Now()
		for i := range 9 {
			c.Start(host(i))
		}
		for i := range 9 {
			if got, want := c.Name(host(i)), host(i).String(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v, want 5s", took)
		}
	})
}

func TestInvalidAddress(t *testing.T) {
	f := &fake{}
	c := New(Config{Resolver: f})
	defer c.Close()
	if got := c.Name(netip.Addr{}); got != "invalid IP" || len(f.asked) != 0 {
		t.Errorf("got %q after %d look-ups, want no look-up", got, len(f.asked))
	}
}
