package survey

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// point is a probe that was answered.
type point struct {
	dst  netip.Addr
	ttl  int
	flow int
}

// readReplies reads the output "replies" and holds each line against the truth.
func readReplies(t *testing.T, file string, truth internet.Config, m frame.Method) map[point]netip.Addr {
	t.Helper()
	rows := rowsOf(t, file)
	got := map[point]netip.Addr{}
	for _, r := range rows[1:] {
		p := point{dst: netip.MustParseAddr(r[0])}
		p.ttl, _ = strconv.Atoi(r[1])
		p.flow, _ = strconv.Atoi(r[2])
		from := netip.MustParseAddr(r[4])
		want := truth.Answer(p.dst, p.ttl, m)
		if want.Silent || want.From != from || record.KindName(want.Kind) != r[6] || strconv.Itoa(int(want.TTL)) != r[9] || r[11] != "exact" {
			t.Fatalf("wrong: %v, the truth is %+v", r, want)
		}
		if _, ok := got[p]; ok {
			t.Fatalf("%v a second time", r)
		}
		got[p] = from
	}
	return got
}

// targetsOf are 48 addresses of both families, as arguments.
var targetsOf = []string{"20.1.0.0-20.1.0.15", "20.77.0.0/28", "2600:1:2:3::/124"}

var names = map[string]frame.Method{"udp": frame.UDP, "icmp": frame.ICMP, "tcp-syn": frame.TCP, "tcp-ack": frame.TCP}

// Every mode and method finds what answers, nothing else, and the Internet
// counts as many probes as the survey does.
func TestSurvey(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 8, MaxHops: 14, Silent: 5, SilentHosts: 10}
	for _, mode := range modes {
		for name, m := range names {
			t.Run(mode+"/"+name, func(t *testing.T) {
				n := open(t, truth)
				dir := t.TempDir()
				args := []string{
					"--mode", mode, "-M", name, "--rate", "max", "-m", "16", "-w", "1s", "--metadata", dir + "/meta",
					"-o", "replies:" + dir + "/replies", "-o", "jsonl:" + dir + "/traces",
				}
				r := survey(t, n, "", append(args, targetsOf...)...)
				if r.code != 0 {
					t.Fatalf("exit code %d: %s", r.code, r.stderr)
				}
				got := readReplies(t, dir+"/replies", truth, m)
				c, err := n.Counters()
				if err != nil {
					t.Fatal(err)
				}
				total := c.Total()
				if int(total.Answered) != len(got) {
					t.Errorf("%d replies, the Internet gave %d: %s", len(got), total.Answered, r.stderr)
				}
				var meta metadata
				read(t, dir+"/meta", &meta)
				if meta.Counts.Sent != total.Asked || meta.Counts.Matched != total.Answered || !meta.Complete || !meta.Counts.Balanced() {
					t.Errorf("counts %+v, the Internet's %+v", meta.Counts, total)
				}
				if mode != "adaptive" && total.Asked != 48*16 {
					t.Errorf("%d probes, want %d", total.Asked, 48*16)
				}
				checkTraces(t, dir+"/traces", truth, mode, got)
			})
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// checkTraces holds the traces against the replies: the same ones, each target
// once, with the reason that they make true.
func checkTraces(t *testing.T, file string, truth internet.Config, mode string, replies map[point]netip.Addr) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[netip.Addr]bool{}
	in := 0
	for line := range strings.Lines(string(b)) {
		var trace jsonl.Trace
		if err := json.Unmarshal([]byte(line), &trace); err != nil {
			t.Fatal(err)
		}
		if seen[trace.Target] || trace.Schema != jsonl.Schema {
			t.Fatalf("%s a second time, or schema %q", trace.Target, trace.Schema)
		}
		seen[trace.Target] = true
		reached := false
		for _, r := range trace.Replies {
			in++
			if replies[point{trace.Target, int(r.TTL), int(trace.Flow)}] != r.Responder {
				t.Fatalf("%s, TTL %d: %s is no reply", trace.Target, r.TTL, r.Responder)
			}
			reached = reached || r.Responder == trace.Target
		}
		if reached != (trace.StopReason == "reached") {
			t.Errorf("%s stopped by %s, but it answered: %v", trace.Target, trace.StopReason, reached)
		}
		if reached && int(trace.Hops) != truth.Path(trace.Target) {
			t.Errorf("%s is %d hops away, want %d", trace.Target, trace.Hops, truth.Path(trace.Target))
		}
		if mode == "full" && len(trace.Replies)+len(trace.Probes) != 16 {
			t.Errorf("%s: %d replies and %d silent probes, want 16", trace.Target, len(trace.Replies), len(trace.Probes))
		}
	}
	if in != len(replies) || mode != "random" && len(seen) != 48 {
		t.Errorf("%d traces with %d of %d replies", len(seen), in, len(replies))
	}
}

// Targets come from files and standard input too, and what is excluded is not
// probed.
func TestTargets(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 3, MaxHops: 3}
	n := open(t, truth)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte("# list\n20.0.0.1\n20.0.0.2\n20.0.9.0/24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "not"), []byte("20.0.9.0/25\n20.0.0.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := survey(t, n, "20.0.1.1\n10.1.2.3\n", "--rate=max", "--mode=random", "-m", "3", "-o", "replies:"+dir+"/out", "--exclude", dir+"/not",
		dir+"/list", "-", "20.0.1.1")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	got := readReplies(t, dir+"/out", truth, frame.UDP)
	want := 3 * (1 + 128 + 1)
	if len(got) != want {
		t.Errorf("%d replies, want %d", len(got), want)
	}
	for p := range got {
		if p.dst.String() == "10.1.2.3" || p.dst.String() == "20.0.0.2" {
			t.Errorf("%s was probed", p.dst)
		}
	}
}

// Flows differ in what a load balancer hashes, and are told apart.
func TestFlows(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 4}
	for name, m := range names {
		n := open(t, truth)
		out := t.TempDir() + "/out"
		r := survey(t, n, "", "--rate=max", "--mode=full", "--flows=3", "-m", "4", "-M", name, "-o", "replies:"+out, "20.0.0.1", "2600::1")
		if got := readReplies(t, out, truth, m); len(got) != 2*4*3 || r.code != 0 {
			t.Errorf("%s: %d replies, want %d: %s", name, len(got), 2*4*3, r.stderr)
		}
	}
}

// Who asks for a rate gets it.
func TestRate(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	var meta metadata
	dir := t.TempDir()
	r := survey(t, n, "", "--rate=2kpps", "--mode=random", "-m", "16", "-o", "replies:/dev/null", "--metadata", dir+"/meta", "20.0.0.0/25")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	read(t, dir+"/meta", &meta)
	// A machine that is busy may be late.
	if meta.RatePPS > 2040 {
		t.Errorf("%.0f probes/s, asked were 2000", meta.RatePPS)
	}
	if meta.AskedPPS != 2000 || meta.Counts.Sent != 2048 {
		t.Errorf("asked %.0f, sent %d", meta.AskedPPS, meta.Counts.Sent)
	}
}
