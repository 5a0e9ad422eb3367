package benchcmd

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/report"
	"github.com/hopquote/hopquote/bench/surveys"
)

// surveyCommand is the engine as a user runs it: targets are read and permuted,
// every probe has an identity, and every reply is verified and written as a
// line. The wait for stragglers is short, since there are none.
const surveyCommand = " survey -i {interface} --rate {rate} --seed {seed} --mode random --max-ttl {hops} --timeout 300ms" +
	" --status none --metadata {output}" + surveys.MetadataSuffix + " -o replies:{output} {targets}"

// quick are the options that leave the way out and the replies to others than
// the kernel, as far as hopquote has them.
var quick = []string{"--tx=xdp", "--keep-kernel-out"}

// engine is hopquote survey: as it comes, and as fast as it goes.
func (p *programs) engine() []contest.Contender {
	survey := contest.Contender{
		Name: "hopquote survey", Command: report.CommandLine([]string{p.hopquote}) + surveyCommand,
		Paced: true, Top: "max", Strict: true, Count: countSurvey,
	}
	help, missing := p.help("survey")
	survey.Missing = missing
	list := []contest.Contender{survey}
	var options string
	for _, o := range quick {
		if name, _, _ := strings.Cut(o, "="); strings.Contains(help, name) {
			options += " " + o
		}
	}
	if options != "" {
		fast := survey
		fast.Name += options
		fast.Command = strings.Replace(survey.Command, " survey", " survey"+options, 1)
		list = append(list, fast)
	}
	return list
}

// help gives a subcommand's help, or why hopquote cannot be run with it.
func (p *programs) help(subcommand string) (text, missing string) {
	if p.hasIt != nil {
		return "", p.hasIt.Error()
	}
	out, err := exec.Command(p.hopquote, subcommand, "--help").Output()
	if err != nil {
		return "", fmt.Sprintf("%s has no %s", p.hopquote, subcommand)
	}
	return string(out), ""
}

// Columns of the replies that a survey writes.
const (
	surveyHead = "target,"
	surveyRTT  = 5
)

// countSurvey counts the replies that a survey wrote, takes their round-trip
// times, and reads how many probes it tells of.
func countSurvey(r contest.Run) (t contest.Tally, err error) {
	var rtts []float64
	err = r.EachLine(func(line string) {
		if line == "" || strings.HasPrefix(line, surveyHead) {
			return
		}
		t.Records++
		if fields := strings.Split(line, ","); len(fields) > surveyRTT {
			if us, err := strconv.ParseFloat(fields[surveyRTT], 64); err == nil {
				rtts = append(rtts, us)
			}
		}
	})
	if err != nil {
		return t, err
	}
	m, err := surveys.ReadMetadata(r.Output)
	if err != nil {
		return t, err
	}
	t.Sent = &m.Counts.Sent
	t.Values = map[string]float64{"ring_drops": float64(m.Result.Drops)}
	if len(rtts) > 0 {
		t.Values["rtt_p50_us"], t.Values["rtt_p99_us"] = measure.Quantile(0.5, rtts), measure.Quantile(0.99, rtts)
	}
	return t, nil
}
