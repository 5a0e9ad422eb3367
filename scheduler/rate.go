package scheduler

import "time"

// Rate paces by due time: the n-th probe is due n/PerSecond after the first,
// whenever the ones before it left, so that the rate holds over any second
// however coarse the sleeps are. A wake-up costs as much as several probes, so
// between rounds of sending it asks for sleeps of 1 to 2 ms, until some 40 probes
// are due, never for a spin; what is due then leaves at once.
//
// Who comes late may send what is due and 1.5 ms worth more at once, or two probes
// that are due. What exceeds that is made up for by a rate that is a tenth higher
// as long as it is 6 ms, and beyond those by one that is 0.2 % higher, for as long
// as it takes. All together keep any second within 1 % of the rate, and any 10 ms
// within a third and a probe. What nobody wanted or was able to send, see Idle, is
// not made up for.
type Rate struct {
	PerSecond float64 // above 0

	started bool
	idle    bool
	base    float64       // ns: when probe 0 was due
	sent    float64       // probes since base
	late    float64       // ns lost to a round that came late
	debt    float64       // ns lost to stalls
	round   time.Duration // when this round of sending began
	resume  time.Duration // nothing leaves before
}

const (
	// Rounds of sending are rest to longRest apart, so that they have perRound
	// probes each. minRest is the shortest sleep: a shorter one costs as much and
	// comes out longer anyway.
	rest     = time.Millisecond
	longRest = 2 * time.Millisecond
	perRound = 40
	minRest  = 60 * time.Microsecond

	maxBehind = 1500 * time.Microsecond
	// Rates whose probes are as far apart as rounds are, or farther, must be able
	// to send two in a round: each round comes late by something.
	leastBehind = 2 // probes
	maxLate     = 6 * time.Millisecond
	hurry       = 0.1 // of the rate, until what is late is made up for
	maxDebt     = time.Second
	catchUp     = 0.002
)

func (r *Rate) interval() float64 { return float64(time.Second) / r.PerSecond }

// apart is how far rounds are apart at least.
func (r *Rate) apart() time.Duration {
	return time.Duration(min(max(perRound*r.interval(), float64(rest)), float64(longRest)))
}

// Ready is how many probes may leave now and, when there are none, the time to
// ask again.
func (r *Rate) Ready(now time.Duration) (int, time.Duration) {
	if !r.started {
		r.started, r.base, r.resume = true, float64(now), now
	}
	if now < r.resume {
		return 0, r.resume
	}
	if r.round < r.resume {
		r.round = now
	}
	interval := r.interval()
	due := (float64(now)-r.base)/interval + 1 - r.sent
	if most := max(float64(r.apart()+maxBehind)/interval, leastBehind); due > most {
		lost := (due - most) * interval
		r.base += lost
		if !r.idle {
			late := min(lost, float64(maxLate)-r.late)
			r.late += late
			r.debt = min(r.debt+lost-late, float64(maxDebt))
		}
		due = most
	}
	r.idle = false
	if due >= 1 {
		return int(due), Never
	}
	r.resume = Never
	if next := r.base + r.sent*interval + 1; next < float64(Never) {
		r.resume = max(time.Duration(next), r.round+r.apart(), now+minRest)
	}
	return 0, r.resume
}

// Sent notes that a probe left.
func (r *Rate) Sent() {
	r.sent++
	lost, share := &r.late, hurry
	if r.late == 0 {
		lost, share = &r.debt, catchUp
	}
	d := min(*lost, r.interval()*share)
	r.base -= d
	*lost -= d
}

// Idle notes that fewer probes wanted to leave than Ready let, or that something
// else held them back.
func (r *Rate) Idle() { r.idle = true }
