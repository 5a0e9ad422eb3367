package scheduler

import "time"

// Pacer keeps a smallest gap between two sends, from send to send. The zero
// Pacer holds nothing back.
type Pacer struct {
	Gap  time.Duration // 0 or less: no pacing
	last time.Duration
	sent bool
}

// Due is the earliest time at which the next probe may leave.
func (p *Pacer) Due() time.Duration {
	if p.Gap <= 0 || !p.sent {
		return 0
	}
	if p.Gap > Never/2 {
		return Never // the sum would overflow
	}
	return p.last + p.Gap
}

// Sent notes that a probe left.
func (p *Pacer) Sent(at time.Duration) { p.last, p.sent = at, true }
