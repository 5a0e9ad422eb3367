// Package loop compares the engine with its physical limit, the bare loop, and
// with whoever else is asked for, on a simulated Internet in which everything
// is answered.
package loop

import (
	"os"
	"strings"
	"time"

	"github.com/hopquote/hopquote/bench/bare"
	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/transmit"
)

// Suite is the contest between the bare loop with each kind of sender and
// further contenders. bareCommand runs the bare loop as a program of its own; a
// kind's name is put after it.
func Suite(g *ground.Ground, bareCommand string, further []contest.Contender, rates []float64, d time.Duration) measure.Suite {
	var list []contest.Contender
	for _, k := range transmit.Kinds() {
		if !k.Null {
			list = append(list, Bare(bareCommand, k))
		}
	}
	return contest.Suite(g, contest.Config{
		Name: "loop", Title: "closed loop, every probe answered",
		Contenders: append(list, further...), Rates: rates, Time: d,
		Figures: []measure.Figure{
			{Key: "rtt_p50_us", Title: "RTT p50 us", Digits: 1},
			{Key: "rtt_p99_us", Title: "p99", Digits: 1},
			{Key: "latency_p50_us", Title: "reply to match p50 us", Digits: 1},
			{Key: "latency_p99_us", Title: "p99", Digits: 1},
			{Key: "ring_drops", Title: "ring drops", Detail: true},
		},
	})
}

// Bare is the bare loop with a kind of sender.
func Bare(command string, k transmit.Kind) contest.Contender {
	return contest.Contender{
		Name: "bare loop, " + k.Name, Paced: true, Strict: true, Count: countBare,
		Command: command + " --sender " + k.Name + " --target " + ground.Target(0).String() + " --probes {probes} --rate {rate} --hops {hops}",
	}
}

// countBare reads what the bare loop said about itself.
func countBare(r contest.Run) (t contest.Tally, err error) {
	text, err := os.ReadFile(r.Stdout)
	if err != nil {
		return t, err
	}
	b, err := bare.Read([]byte(strings.TrimSpace(string(text))))
	if err != nil {
		return t, err
	}
	const us = 1e3
	t = contest.Tally{Records: b.Matched, Sent: &b.Sent, Values: map[string]float64{
		"rtt_p50_us": float64(b.RTT50) / us, "rtt_p99_us": float64(b.RTT99) / us,
		"latency_p50_us": float64(b.Latency50) / us, "latency_p99_us": float64(b.Latency99) / us,
		"ring_drops": float64(b.Drops), "peak_mib": float64(b.Peak) / (1 << 20),
	}}
	return t, nil
}
