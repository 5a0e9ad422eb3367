package scheduler

import "time"

// Monotonic is the Clock of real runs: the time since Epoch, untouched by
// steps of the wall clock.
type Monotonic struct {
	Epoch time.Time // with a monotonic reading, as time.Now gives it
}

// Now tells the time since the epoch.
func (m Monotonic) Now() time.Duration { return time.Since(m.Epoch) }
