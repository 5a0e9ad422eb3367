package internet

import "time"

// epoch keeps the times of limits positive.
const epoch = 1 << 62

// limits are the token buckets of routers: each is the time up to which its
// tokens are taken, in nanoseconds.
type limits struct {
	taken []uint64
	now   func() uint64
}

func newLimits(c *Config) limits {
	start := time.Now()
	l := limits{now: func() uint64 { return uint64(time.Since(start)) }}
	if c.Limited > 0 {
		l.taken = make([]uint64, MaxLimits)
	}
	return l
}

// span is how long a bucket takes to fill.
func (c *Config) span() uint64 { return uint64(c.LimitEvery) * uint64(c.LimitBurst) }

// isLimited tells whether the router may send no further error now, and takes
// a token if it may; fate.bpf.h says the same in C.
func (r *responder) isLimited(t *Truth) bool {
	if r.config.Limited == 0 {
		return false
	}
	hi, lo := halves(t.From)
	h := r.config.draw(drawLimit, t.From.Is6(), 0, hi, lo)
	if percent(h) >= r.config.Limited {
		return false
	}
	taken := &r.limits.taken[h>>16&(MaxLimits-1)]
	now := r.limits.now() + epoch
	next := max(*taken, now-r.config.span()) + uint64(r.config.LimitEvery)
	if next > now {
		return true
	}
	*taken = next
	return false
}
