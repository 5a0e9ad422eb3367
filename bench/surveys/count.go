package surveys

import (
	"fmt"
	"io"
	"iter"
	"net/netip"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/simnet/internet/score"
)

// Ports of our probes: a flow decides which routers a target's probes pass.
const (
	sourcePort = 33000
	targetPort = 33434
)

const protocolUDP = 17

// flowOf is the one flow in which a target is probed.
func flowOf(source, target uint16) internet.Flow {
	return internet.Flow{Src: ground.Source, Protocol: protocolUDP, Head: uint32(source)<<16 | uint32(target)}
}

// counter counts what a prober wrote and holds it against the truth.
type counter struct {
	ground *ground.Ground
	set    Set
}

// survey counts the replies that hopquote survey wrote as a kind. A mode that
// asks every TTL must have found all that there is.
func (c *counter) survey(kind string, every bool) func(contest.Run) (contest.Tally, error) {
	return func(r contest.Run) (t contest.Tally, err error) {
		view := score.View{Flows: func(netip.Addr) []internet.Flow { return []internet.Flow{flowOf(sourcePort, targetPort)} }}
		report, err := c.count(&t, r.Job.Targets, view, func(each func(score.Result)) error {
			return readFile(r.Output, readers[kind], each)
		})
		if err != nil {
			return t, err
		}
		m, err := ReadMetadata(r.Output)
		if err != nil {
			return t, err
		}
		t.Sent = &m.Counts.Sent
		t.Values["ring_drops"] = float64(m.Result.Drops)
		t.Values["known_hops_bytes"] = float64(m.KnownBytes)
		t.Problems = append(t.Problems, m.contradictions()...)
		if want := m.recorded(); t.Records != want {
			t.Problems = append(t.Problems, fmt.Sprintf("it wrote %d replies, and tells of %d", t.Records, want))
		}
		if missed := report.Interfaces.Missed + report.Hops.Missed + report.Targets.Missed; every && missed > 0 && t.Records >= r.Truth.Replies() {
			t.Problems = append(t.Problems, "it asked every TTL and missed something: "+report.String())
		}
		return t, nil
	}
}

// scamper counts the hops that scamper wrote as JSON.
func (c *counter) scamper(r contest.Run) (t contest.Tally, err error) {
	flows := make(map[netip.Addr]internet.Flow)
	view := score.View{Flows: func(target netip.Addr) []internet.Flow { return []internet.Flow{flows[target]} }}
	read := func(each func(score.Result)) error {
		return readFile(r.Output, func(in io.Reader, each func(score.Result)) error {
			return readScamper(in, func(trace *scamperTrace) { flows[trace.Dst] = flowOf(trace.Sport, trace.Dport) }, each)
		}, each)
	}
	if err := read(func(score.Result) {}); err != nil {
		return t, err
	}
	_, err = c.count(&t, r.Job.Targets, view, read)
	return t, err
}

// count scores all results and sets what is found in the tally.
func (c *counter) count(t *contest.Tally, targets int, view score.View, read func(each func(score.Result)) error) (r score.Report, err error) {
	all, err := c.set.all(targets)
	if err != nil {
		return r, err
	}
	var rerr error
	results := iter.Seq[score.Result](func(yield func(score.Result) bool) {
		rerr = read(func(result score.Result) {
			t.Records++
			yield(result) // the scorer takes all
		})
	})
	r = score.Score(score.Truth(c.ground.World, all, view), results)
	if rerr != nil {
		return r, rerr
	}
	t.Values = map[string]float64{
		"targets":           float64(targets),
		"interfaces_found":  float64(r.Interfaces.Found),
		"interfaces_missed": float64(r.Interfaces.Missed),
		"hops_found":        float64(r.Hops.Found),
		"hops_missed":       float64(r.Hops.Missed),
		"wrong":             float64(r.Wrong()),
		"targets_reached":   float64(r.Targets.Found),
		"targets_missed":    float64(r.Targets.Missed),
	}
	if r.Wrong() > 0 || r.Strangers > 0 {
		t.Problems = append(t.Problems, fmt.Sprintf("what it wrote is not true: %s; %d replies are about nobody's targets", r.String(), r.Strangers))
	}
	return r, nil
}
