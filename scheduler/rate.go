package scheduler

import (
	"math"
	"time"
)

// Rate paces by due time: the n-th probe is due n/PerSecond after the first,
// whenever the ones before it left, so that the rate holds over any second
// however coarse the sleeps are. A wake-up costs as much as several probes, so
// between rounds of sending it asks for sleeps of 1 to 2 ms, until some 40 probes
// are due, never for a spin; what is due then leaves at once.
//
// No 10 ms get more than their share and a twentieth, rounded up: rounds wait until
// there is room for them among those that left in the 10 ms before. Who comes late
// catches up within these bounds, by rounds that are at most half as large again.
// What is later than 7.5 ms is made up for by a rate that is 0.2 % higher, for as
// long as it takes. Both together keep any second from exceeding the rate by 1 %.
// What nobody wanted or was able to send, see Idle, is not made up for, nor what is
// still missing at the end.
type Rate struct {
	PerSecond float64 // above 0

	started bool
	idle    bool
	base    float64       // ns: when probe 0 was due
	sent    float64       // probes since base
	debt    float64       // ns lost to stalls
	next    time.Duration // when the next round of sending may begin
	inRound float64       // probes that left in this one
	resume  time.Duration // nothing leaves before
	recent  departures
}

const (
	// Rounds of sending are rest to longRest apart, so that they have perRound
	// probes each. minRest is the shortest sleep: a shorter one costs as much and
	// comes out longer anyway.
	rest     = time.Millisecond
	longRest = 2 * time.Millisecond
	perRound = 40
	minRest  = 60 * time.Microsecond

	burstShare = 1.05 // of what is due within burstWindow
	roundShare = 1.5  // of what is due between two rounds
	// Where a twentieth is less than a probe, one more may leave within
	// burstWindow only if the rate would suffer else: every wake-up comes late by
	// something.
	tolerance = 3 * time.Millisecond
	patience  = 8 // of the time between two rounds, one part
	maxBehind = 7500 * time.Microsecond
	maxDebt   = time.Second
	catchUp   = 0.002
)

// interval is finite, however low the rate.
func (r *Rate) interval() float64 {
	return min(float64(time.Second)/r.PerSecond, math.MaxFloat64/4)
}

// apart is how far rounds are apart at least.
func (r *Rate) apart() time.Duration {
	return time.Duration(min(max(perRound*r.interval(), float64(rest)), float64(longRest)))
}

// behind is how late the next probe is, in ns.
func (r *Rate) behind(now time.Duration) float64 {
	return float64(now) - r.base - r.sent*r.interval()
}

// most is how many may leave within burstWindow when the next one is so late.
func (r *Rate) most(behind float64) float64 {
	share := r.PerSecond / float64(time.Second/burstWindow)
	most := max(1, math.Floor(share*burstShare), math.Ceil(share))
	if behind >= float64(tolerance) {
		most = max(1, math.Ceil(share*burstShare))
	}
	return most
}

// Ready is how many probes may leave now and, when there are none, the time to
// ask again.
func (r *Rate) Ready(now time.Duration) (int, time.Duration) {
	if !r.started {
		r.started, r.base, r.next, r.resume = true, float64(now), now, now
	}
	if now < r.resume {
		return 0, r.resume
	}
	interval, apart := r.interval(), r.apart()
	if now >= r.next {
		// A wake-up that comes a little late doesn't put off the next one.
		if now-r.next >= apart/2 {
			r.next = now
		}
		r.next, r.inRound = r.next+apart, 0
	}
	behind := r.behind(now)
	if lost := behind - max(float64(maxBehind), interval); lost > 0 {
		r.base += lost
		behind -= lost
		if !r.idle {
			r.debt = min(r.debt+lost, float64(maxDebt))
		}
	}
	r.idle = false
	r.recent.forget(now)
	most := r.most(behind)
	round := float64(apart) / interval
	quota := math.Ceil(roundShare*round) - r.inRound
	if n := min(behind/interval+1, quota, most-float64(r.recent.n)); n >= 1 {
		return int(n), Never
	}
	r.resume = Never
	next := r.base + r.sent*interval + 1
	if next >= float64(Never/2) {
		return 0, r.resume
	}
	at := now + minRest
	if behind < 0 || r.inRound >= round/2 {
		at = max(at, time.Duration(next), r.next)
	}
	// Rounds that are cut up cost more wake-ups: a little patience spares most.
	r.resume = max(at, r.room(math.Floor(round)))
	if r.resume > at+apart/patience {
		r.resume = max(at, r.room(1))
	} else if at >= r.next {
		r.next = r.resume
	}
	return 0, r.resume
}

// room is when n probes, or one if that is less, find room within burstWindow.
func (r *Rate) room(n float64) time.Duration {
	n = max(n, 1)
	at := r.recent.atMost(int(r.most(0) - n))
	late := time.Duration(r.base + r.sent*r.interval() + float64(tolerance) + 1)
	if at <= late {
		return at
	}
	return min(at, max(late, r.recent.atMost(int(r.most(float64(tolerance))-n))))
}

// Sent notes that a probe left, at the latest at the given time, which is not
// before that of the last one.
func (r *Rate) Sent(at time.Duration) {
	r.sent++
	r.inRound++
	r.recent.add(at)
	d := min(r.debt, r.interval()*catchUp)
	r.base -= d
	r.debt -= d
}

// Idle notes that fewer probes wanted to leave than Ready let, or that something
// else held them back.
func (r *Rate) Idle() { r.idle = true }
