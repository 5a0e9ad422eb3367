package ground

import (
	"math"
	"net"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

func TestPace(t *testing.T) {
	every := func(n int, gap time.Duration) (list []time.Duration) {
		for i := range n {
			list = append(list, time.Duration(i)*gap)
		}
		return list
	}
	pause := every(3000, time.Millisecond)
	for i := 1500; i < len(pause); i++ {
		pause[i] += 500 * time.Millisecond // and then on as before
	}
	burst := append(every(3000, time.Millisecond), 1000*time.Millisecond, 1000*time.Millisecond, 1001*time.Millisecond)
	tail := every(3000, time.Millisecond)
	tail[2999] += 5 * time.Second
	for _, c := range []struct {
		name        string
		at          []time.Duration
		window      time.Duration
		most, least float64
	}{
		{"even", every(3000, time.Millisecond), time.Second, 1000, 999},
		{"even, short windows", every(3000, time.Millisecond), 10 * time.Millisecond, 1000, 900},
		{"a pause", pause, time.Second, 1000, 499},
		{"a burst", burst, 10 * time.Millisecond, 1300, 900},
		{"a slow end", tail, time.Second, 1000, 999},
		{"too short", every(900, time.Millisecond), time.Second, 0, 0},
		{"one", every(1, 0), time.Second, 0, 0},
		{"none", nil, time.Second, 0, 0},
	} {
		a := Arrivals{at: c.at}
		p, ok := a.Pace(c.window)
		if ok != (c.most > 0) || math.Abs(p.Most-c.most) > 1e-6 || math.Abs(p.Least-c.least) > 1e-6 {
			t.Errorf("%s: %+v, %t; want %v and %v", c.name, p, ok, c.most, c.least)
		}
	}
}

// Every probe's arrival is noted, and nothing else.
func TestWatch(t *testing.T) {
	g := open(t)
	const probes = 300
	a, err := g.Watch(func() error {
		return g.Host(internet.Prober).Do(func() error {
			c, err := net.Dial("udp", net.JoinHostPort(Target(7).String(), "33434"))
			if err != nil {
				return err
			}
			defer c.Close()
			for range probes {
				_, _ = c.Write([]byte("x")) // every second one gives the error that came back
			}
			return nil
		})
	})
	if err != nil || a.Lost != 0 {
		t.Fatalf("%v, %d lost", err, a.Lost)
	}
	asked, err := g.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if n := asked.IPv4.UDP.Asked; uint64(len(a.at)) != n || n < probes/2 {
		t.Errorf("%d arrivals, %d probes", len(a.at), n)
	}
}
