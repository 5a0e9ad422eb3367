package survey

import (
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/simnet/internet/score"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// scored is a world that a survey is held against.
type scored struct {
	name    string
	flows   int
	c       internet.Config
	timeout time.Duration
}

// scoredWorlds have everything that makes surveys go wrong. In the last one
// routers limit their errors, and replies come later than they are waited for.
var scoredWorlds = []scored{
	{"one flow", 1, hard(20 * time.Millisecond), time.Second},
	{"three flows", 3, hard(20 * time.Millisecond), time.Second},
	{"limits", 1, limits(hard(1500 * time.Millisecond)), time.Second},
}

func hard(late time.Duration) internet.Config {
	return internet.Config{
		Seed: 6, MinHops: 6, MaxHops: 24, Silent: 10, SilentHosts: 10, Diamonds: 30, Loops: 10, Unreachable: 10,
		Duplicates: 10, Late: 5, LateBy: late, Open: []uint16{80},
	}
}

func limits(c internet.Config) internet.Config {
	c.Limited, c.LimitEvery, c.LimitBurst = 30, 100*time.Millisecond, 5
	return c
}

// TestScore has every mode and method look at hard worlds: nothing that it
// reports is wrong, and every probe that was answered is reported, as what it
// was. A mode that asks every TTL misses nothing that the flows of a target pass.
func TestScore(t *testing.T) {
	for _, w := range scoredWorlds {
		for _, mode := range modes {
			for name := range names {
				if w.c.Limited > 0 && (name == "udp" || name == "tcp-syn") {
					continue // routers send the others the same errors
				}
				t.Run(w.name+"/"+mode+"/"+name, func(t *testing.T) {
					t.Parallel() // most of it waits for what does not answer
					w.survey(t, mode, name)
				})
			}
		}
	}
}

func (w *scored) survey(t *testing.T, mode, name string) {
	timeout := w.timeout
	if mode == "adaptive" {
		timeout = min(timeout, 600*time.Millisecond) // it waits for many silent hops, one after the other
	}
	n := open(t, w.c)
	file := t.TempDir() + "/out."
	r := survey(t, n, "", "--mode", mode, "-M", name, "--rate", "max", "-w", timeout.String(), "--flows", fmt.Sprint(w.flows),
		"-o", "jsonl:"+file+"jsonl", "-o", "replies:"+file+"replies", "-o", "pcapng:"+file+"pcapng",
		"--metadata", file+"meta", "--per-prefix", "24,48", "20.1.0.0/17", "2600:1::/41")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	const targets = 256
	probes := readAsked(t, file+"pcapng", names[name])
	if len(probes.of) != targets {
		t.Errorf("%d targets, want %d", len(probes.of), targets)
	}
	if want := targets * w.flows * 32; mode != "adaptive" && len(probes.flows) != want {
		t.Errorf("%d probes, want %d", len(probes.flows), want)
	}
	missing := w.compare(t, probes, names[name], columns(t, file+"replies"))
	counters, err := n.Counters()
	if err != nil {
		t.Fatal(err)
	}
	total := counters.Total()
	if w.c.Limited == 0 && missing != 0 || missing > int(total.Limited+total.Delayed) || missing < int(total.Limited) {
		t.Errorf("%d answers are missing; the Internet held back %d and was late with %d", missing, total.Limited, total.Delayed)
	}
	// The kernel resets what answers a SYN, which is a probe too.
	if int(total.Asked) != len(probes.flows) && name != "tcp-syn" || total.Duplicated == 0 || total.Delayed == 0 || w.c.Limited > 0 && total.Limited == 0 {
		t.Errorf("%d probes; the Internet counted %+v", len(probes.flows), total)
	}
	traces := objects[jsonl.Trace](t, file+"jsonl")
	view := score.View{Flows: func(target netip.Addr) []internet.Flow { return probes.of[target] }}
	got := score.Score(score.Truth(w.c, maps.Keys(probes.of), view), results(traces))
	t.Logf("%d probes; %v", len(probes.flows), &got)
	if got.Wrong() != 0 || got.Strangers != 0 || got.Interfaces.Found < 1000 || got.Targets.Found < 100 {
		t.Errorf("wrong, or little: %v", &got)
	}
	if mode != "adaptive" && w.c.Limited == 0 && got.Interfaces.Missed+got.Hops.Missed+got.Targets.Missed != 0 {
		t.Errorf("missed: %v", &got)
	}
	if got.Targets.Missed != 0 || w.c.Limited == 0 && 100*got.Interfaces.Missed > got.Interfaces.Found {
		t.Errorf("missed much: %v", &got)
	}
	checkEnds(t, name, traces)
}

// compare holds each reply against what the Internet says to that probe, and
// gives the number of probes that have no reply though they could have.
func (w *scored) compare(t *testing.T, probes asked, m frame.Method, replies []map[string]string) (missing int) {
	t.Helper()
	seen := map[point]bool{}
	for _, r := range replies {
		p := point{netip.MustParseAddr(r["target"]), atoi(r["ttl"]), atoi(r["flow"])}
		flow, ok := probes.flows[p]
		if !ok {
			t.Fatalf("%v was not asked: %v", p, r)
		}
		want := w.c.AnswerFlow(p.dst, p.ttl, m, flow)
		if want.Silent || want.From.String() != r["responder"] || record.KindName(want.Kind) != r["kind"] ||
			want.Kind.IsError() && int(want.Code) != atoi(r["icmp_code"]) || int(want.TTL) != atoi(r["reply_ttl"]) {
			t.Fatalf("wrong: %v, the truth is %+v", r, want)
		}
		isFirst := r["verdict"] == "exact" || r["verdict"] == "late"
		if isFirst && seen[p] || !isFirst && r["verdict"] != "duplicate" {
			t.Errorf("%v is said to be the first", r)
		}
		seen[p] = seen[p] || isFirst
	}
	for p, flow := range probes.flows {
		if !w.c.AnswerFlow(p.dst, p.ttl, m, flow).Silent && !seen[p] {
			missing++
		}
	}
	return missing
}

// checkEnds looks at how targets answer: as the method has it, with their
// distance and the reason noted.
func checkEnds(t *testing.T, method string, traces []jsonl.Trace) {
	t.Helper()
	n := 0
	for _, trace := range traces {
		reached := false
		for _, r := range trace.Replies {
			if r.Responder != trace.Target {
				continue
			}
			reached = true
			switch {
			case method == "udp" && r.Kind == "unreachable" && (*r.ICMPCode == 3 || *r.ICMPCode == 4):
			case method == "icmp" && r.Kind == "echo_reply":
			case method == "tcp-syn" && r.Kind == "tcp" && *r.TCPFlags == frame.FlagSYN|frame.FlagACK:
			case method == "tcp-ack" && r.Kind == "tcp" && *r.TCPFlags == frame.FlagRST:
			default:
				t.Fatalf("%s answers %+v", trace.Target, r)
			}
		}
		if reached {
			n++
		}
		if reached && trace.StopReason != "reached" {
			t.Errorf("%s answered, and its trace stopped by %s", trace.Target, trace.StopReason)
		}
	}
	if n < 100 {
		t.Errorf("%d targets answered", n)
	}
}

// results are the replies of traces.
func results(traces []jsonl.Trace) iter.Seq[score.Result] {
	return func(yield func(score.Result) bool) {
		for _, trace := range traces {
			for _, r := range trace.Replies {
				if !yield(score.Result{Target: trace.Target, TTL: int(r.TTL), From: r.Responder}) {
					return
				}
			}
		}
	}
}
