package survey

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// inhabited is an Internet whose targets answer in every way that there is.
var inhabited = internet.Config{
	Seed: 9, MinHops: 4, MaxHops: 8, Silent: 5, SilentHosts: 10, Guarded: 30, Services: 50, Unreachable: 10, Open: []uint16{80},
}

const inhabitedTTLs = 11

// sluggish makes many probes to a target be in flight at once, and their answers
// overtake each other.
func sluggish(c internet.Config) internet.Config {
	c.Late, c.LateBy = 50, 30*time.Millisecond
	return c
}

// TestDestinationAnswers surveys it by each mode and method, and holds all that
// the outputs tell against the truth and against the frames: each answer is told
// of its own target, as what it is, by the code or the flags it had, with the TTL
// and the RTT of the probe that it answers. Only of UDP answers, where several
// probes to the target are in flight, nobody can tell: these are called undecided.
func TestDestinationAnswers(t *testing.T) {
	for _, mode := range modes {
		for name := range names {
			t.Run(mode+"/"+name, func(t *testing.T) {
				t.Parallel()
				told := surveyInhabited(t, inhabited, mode, name)
				if name != "udp" && told != 0 {
					t.Errorf("%d are undecided", told)
				}
			})
		}
		t.Run(mode+"/sluggish", func(t *testing.T) {
			t.Parallel()
			if told := surveyInhabited(t, sluggish(inhabited), mode, "udp"); mode == "full" && told < 50 {
				t.Errorf("%d are undecided: the test shows little", told)
			}
		})
	}
}

// surveyInhabited gives how many answers are undecided.
func surveyInhabited(t *testing.T, c internet.Config, mode, name string) (undecided int) {
	n := open(t, c)
	timeout := "2s" // no answer is to be late, however busy the machine
	if mode == "adaptive" {
		timeout = "1s" // which is waited for at each silent hop, one after another
	}
	file := t.TempDir() + "/out."
	args := []string{"--mode", mode, "-M", name, "--seed", "7", "--rate", "10k", "-m", "11", "-w", timeout, "--metadata", file + "meta",
		"--per-prefix", "24,48", "20.1.0.0/17", "2600:1::/41"}
	for _, k := range kindNames() {
		args = append(args, "-o", k+":"+file+k)
	}
	if r := survey(t, n, "", args...); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	wire := readWire(t, file+"pcapng", names[name])
	if len(wire) < 500 {
		t.Fatalf("%d answers on the wire", len(wire))
	}
	told := map[point]answer{}
	kinds := map[string]bool{}
	for _, trace := range objects[jsonl.Trace](t, file+"jsonl") {
		for i := range trace.Replies {
			r := &trace.Replies[i]
			p := point{dst: trace.Target, ttl: int(r.TTL)}
			a := answer{from: r.Responder, kind: r.Kind, rtt: time.Duration(r.RTTNS), undecided: r.Verdict == "undecided"}
			if r.ICMPCode != nil {
				a.code = int(*r.ICMPCode)
			}
			if r.TCPFlags != nil {
				a.code = int(*r.TCPFlags)
			}
			if _, ok := told[p]; ok || r.Verdict != "exact" && !a.undecided {
				t.Fatalf("%v: %s, or again", p, r.Verdict)
			}
			told[p] = a
			if a.undecided {
				undecided++
			}
			if a.from == p.dst {
				kinds[a.form(p.dst)] = true
			}
			a.check(t, p, names[name], wire)
		}
		checkEnd(t, &trace, names[name])
	}
	if len(told) != len(wire) {
		t.Errorf("%d answers are told, %d were on the wire", len(told), len(wire))
	}
	for _, form := range wantForms[name] {
		if !kinds[form] {
			t.Errorf("no target answered by %s: %v", form, kinds)
		}
	}
	var meta metadata
	read(t, file+"meta", &meta)
	if c := meta.Counts; int(c.Matched) != len(told) || c.Stray != 0 || int(meta.Counts.Verdicts["undecided"]) != undecided {
		t.Errorf("%d told, %d undecided; counted %+v", len(told), undecided, meta.Counts.Verdicts)
	}
	agreeOnAnswers(t, file, told)
	t.Logf("%d answers, %d of them undecided", len(told), undecided)
	return undecided
}

// wantForms are how targets answer a method: kind, family, code or flags.
var wantForms = map[string][]string{
	"udp": {"udp", "udp6", "unreachable 1", "unreachable 2", "unreachable 3", "unreachable 10", "unreachable 13",
		"unreachable6 1", "unreachable6 3", "unreachable6 4", "unreachable6 5", "unreachable6 6"},
	"icmp":    {"echo_reply", "echo_reply6", "unreachable 1", "unreachable 2", "unreachable 3", "unreachable6 1", "unreachable6 4"},
	"tcp-syn": {"tcp 18", "tcp6 18", "unreachable 1", "unreachable 13", "unreachable6 3", "unreachable6 6"},
	"tcp-ack": {"tcp 4", "tcp6 4", "unreachable 10", "unreachable6 5"},
}

// answer is what came back for a probe.
type answer struct {
	from      netip.Addr
	kind      string
	code      int // or TCP flags
	rtt       time.Duration
	undecided bool
}

// form gives kind, family, code or flags in one word or two.
func (a *answer) form(dst netip.Addr) string {
	s := a.kind
	if dst.Is6() {
		s += "6"
	}
	if a.kind == "unreachable" || a.kind == "tcp" {
		s += " " + strconv.Itoa(a.code)
	}
	return s
}

// check holds an answer against the truth, and against the wire.
func (a *answer) check(t *testing.T, p point, m frame.Method, wire map[point]answer) {
	t.Helper()
	truth := inhabited.Answer(p.dst, p.ttl, m)
	if truth.Silent || truth.From != a.from || record.KindName(truth.Kind) != a.kind || truth.Kind.IsError() && int(truth.Code) != a.code {
		t.Errorf("%v: %+v, the truth is %+v", p, *a, truth)
	}
	was, ok := wire[p]
	if a.undecided && a.from == p.dst && a.kind == "udp" && ok {
		return
	}
	if !ok || was.from != a.from || was.code != a.code || (max(was.rtt, 1)-a.rtt).Abs() > 2 {
		t.Errorf("%v: %+v, on the wire %+v (%v)", p, *a, was, ok)
	}
}

// checkEnd holds why a trace ended against the truth.
func checkEnd(t *testing.T, trace *jsonl.Trace, m frame.Method) {
	t.Helper()
	end, distance := inhabited.End(trace.Target)
	last := inhabited.Answer(trace.Target, inhabitedTTLs, m)
	want := map[string]bool{"reached": true}
	switch {
	case last.Silent: // a target, or a router that refuses
		want = map[string]bool{"gap_limit": true, "max_ttl": true}
	case end == internet.Refuses:
		want = map[string]bool{"unreachable": true}
	}
	if !want[trace.StopReason] || !last.Silent && int(trace.Hops) != distance && end == internet.Reaches {
		t.Errorf("%s ended by %s at %d, the truth is %v at %d: %+v", trace.Target, trace.StopReason, trace.Hops, end, distance, last)
	}
}

// agreeOnAnswers holds the other outputs of replies against what one of them told.
func agreeOnAnswers(t *testing.T, file string, told map[point]answer) {
	t.Helper()
	compare := func(name string, p point, a answer, unit time.Duration) {
		if want, ok := told[p]; !ok || a.from != want.from || a.kind != "" && a.kind != want.kind || a.code != want.code && a.code >= 0 || (a.rtt-want.rtt).Abs() >= unit {
			t.Errorf("%s: %v: %+v, want %+v", name, p, a, want)
		}
	}
	rows := columns(t, file+"csv")
	for _, r := range rows {
		a := answer{from: netip.MustParseAddr(r["responder"]), kind: r["kind"], code: atoi(r["icmp_code"]), rtt: time.Duration(atof(r["rtt_us"]) * 1000)}
		if a.kind == "tcp" {
			a.code = atoi(r["tcp_flags"])
		}
		compare("csv", point{dst: netip.MustParseAddr(r["target"]), ttl: atoi(r["ttl"])}, a, 2)
	}
	protocols := map[string]string{"1": "", "58": "", "6": "tcp", "17": "udp"}
	lines := columns(t, file+"caracal-csv")
	for _, r := range lines {
		a := answer{from: netip.MustParseAddr(r["reply_src_addr"]).Unmap(), kind: protocols[r["reply_protocol"]], code: atoi(r["reply_icmp_code"]), rtt: time.Duration(atof(r["rtt"]) * 1e5)}
		if a.kind != "" {
			a.code = -1 // of ICMP only
		}
		compare("caracal-csv", point{dst: netip.MustParseAddr(r["probe_dst_addr"]).Unmap(), ttl: atoi(r["probe_ttl"])}, a, 100*time.Microsecond)
	}
	list, err := parquetgo.ReadFile[parquet.Row](file + "parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		a := answer{from: netip.MustParseAddr(r.Responder), kind: r.Kind, rtt: time.Duration(r.RTT)}
		if r.ICMPCode != nil {
			a.code = int(*r.ICMPCode)
		}
		if r.TCPFlags != nil {
			a.code = int(*r.TCPFlags)
		}
		compare("parquet", point{dst: netip.MustParseAddr(r.Target), ttl: int(r.TTL)}, a, 2)
	}
	if len(rows) != len(told) || len(lines) != len(told) || len(list) != len(told) {
		t.Errorf("%d, %d and %d replies, want %d", len(rows), len(lines), len(list), len(told))
	}
	agreeOnTraces(t, file, told)
}

// agreeOnTraces does it for the formats of scamper and RIPE Atlas.
func agreeOnTraces(t *testing.T, file string, told map[point]answer) {
	t.Helper()
	type hop struct {
		Addr  netip.Addr `json:"addr"`
		TTL   int        `json:"probe_ttl"`
		RTT   float64    `json:"rtt"`
		Type  *int       `json:"icmp_type"`
		Code  *int       `json:"icmp_code"`
		Flags *int       `json:"tcp_flags"`
	}
	type trace struct {
		Dst  netip.Addr `json:"dst"`
		Stop string     `json:"stop_reason"`
		Hops []hop      `json:"hops"`
	}
	texts := map[string]string{"scamper-json": file + "scamper-json"}
	if read := by(t, "sc_warts2json", file+"warts"); read != "" {
		texts["warts"] = read
	}
	for name, text := range texts {
		n := 0
		for _, one := range objects[trace](t, text) {
			for _, h := range one.Hops {
				want, ok := told[point{dst: one.Dst, ttl: h.TTL}]
				code := 0
				switch {
				case h.Code != nil:
					code = *h.Code
				case h.Flags != nil:
					code = *h.Flags
				}
				rtt := time.Duration(h.RTT * 1e6)
				isICMP := want.kind != "udp" && want.kind != "tcp"
				if !ok || h.Addr != want.from || code != want.code || (h.Type != nil) != isICMP || (h.Flags != nil) != (want.kind == "tcp") || (rtt-want.rtt).Abs() >= time.Microsecond {
					t.Errorf("%s: %v: %+v, want %+v", name, one.Dst, h, want)
				}
				if h.Addr == one.Dst {
					n++
					if one.Stop != "COMPLETED" {
						t.Errorf("%s: %v answered and stopped by %s", name, one.Dst, one.Stop)
					}
				}
			}
		}
		if n < 100 {
			t.Errorf("%s: %d targets answered", name, n)
		}
	}
	n := 0
	for _, one := range objects[atlasTrace](t, file+"atlas") {
		for _, h := range one.Result {
			for _, r := range h.Result {
				if r.X != "" {
					continue
				}
				n++
				want, ok := told[point{dst: netip.MustParseAddr(one.Dst), ttl: h.Hop}]
				if !ok || r.From != want.from.String() || !want.undecided && (time.Duration(r.RTT*1e6)-want.rtt).Abs() >= time.Microsecond || want.undecided && r.RTT != 0 {
					t.Errorf("atlas: %s, %d: %+v, want %+v", one.Dst, h.Hop, r, want)
				}
			}
		}
	}
	if n != len(told) {
		t.Errorf("atlas: %d answers, want %d", n, len(told))
	}
}
