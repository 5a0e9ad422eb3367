package scheduler

import "time"

// burstWindow is the time within which a Rate lets no burst happen.
const burstWindow = 10 * time.Millisecond

// departures are the probes that left within the last burstWindow. Those that
// left within a grain are one entry, which counts until its last one is old
// enough.
type departures struct {
	n       int // probes
	entries [maxEntries]departure
	first   int // oldest entry
	count   int // entries
}

type departure struct {
	begin, end time.Duration
	n          int
}

const (
	grain = burstWindow / 64
	// maxEntries is more than begin a grain apart within burstWindow and a grain.
	maxEntries = 128
)

func (d *departures) entry(i int) *departure { return &d.entries[(d.first+i)%maxEntries] }

// add notes one that left at a time, which is not before that of the last one.
func (d *departures) add(at time.Duration) {
	d.n++
	if d.count > 0 {
		last := d.entry(d.count - 1)
		if at-last.begin < grain || d.count == maxEntries {
			last.end = at
			last.n++
			return
		}
	}
	*d.entry(d.count) = departure{begin: at, end: at, n: 1}
	d.count++
}

// forget leaves out those that burstWindow has passed since.
func (d *departures) forget(now time.Duration) {
	for d.count > 0 && d.entry(0).end+burstWindow <= now {
		d.n -= d.entry(0).n
		d.first = (d.first + 1) % maxEntries
		d.count--
	}
}

// atMost is when there are n or fewer left if none comes to them; 0 if that is so
// already.
func (d *departures) atMost(n int) (at time.Duration) {
	left := d.n
	for i := 0; i < d.count && left > n; i++ {
		e := d.entry(i)
		left -= e.n
		at = e.end + burstWindow
	}
	return at
}
