package survey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/frame"
)

// kills is how often a survey is killed.
func kills() int {
	if testing.Short() {
		return 4
	}
	return 20
}

// traceOf is what a survey says of a target.
type traceOf struct {
	stop string // gap_limit stands for max_ttl too
	hops uint8
}

// stopsOf reads traces, of which no target may have two.
func stopsOf(t *testing.T, file string) map[netip.Addr]traceOf {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[netip.Addr]traceOf{}
	for line := range strings.Lines(string(b)) {
		var trace jsonl.Trace
		if err := json.Unmarshal([]byte(line), &trace); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if _, ok := got[trace.Target]; ok {
			t.Fatalf("%s a second time", trace.Target)
		}
		if trace.StopReason == "max_ttl" {
			trace.StopReason = "gap_limit" // where probing began decides which of the two comes first
		}
		got[trace.Target] = traceOf{trace.StopReason, trace.Hops}
	}
	return got
}

// hopsOf are the routers that were found, at their TTLs.
func hopsOf(replies map[point]netip.Addr) map[point]bool {
	found := map[point]bool{}
	for p, from := range replies {
		if from != p.dst {
			found[point{dst: from, ttl: p.ttl}] = true
		}
	}
	return found
}

// A survey that is killed again and again, at any moment, and gone on with finds
// what one finds that runs through: nothing is missing and nothing is there
// twice.
func TestKilled(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 8, MaxHops: 14, Silent: 5, SilentHosts: 10}
	targets := []string{"20.1.0.0/25", "20.77.0.0/26", "2600:1:2:3::/122"}
	for i, mode := range append(modes, "adaptive", "random") {
		loops, kills := 1, kills()
		if i >= 3 {
			loops, kills = 2, 4
		}
		t.Run(fmt.Sprintf("%s/%d", mode, loops), func(t *testing.T) {
			args := append([]string{
				"--mode", mode, "--loops", fmt.Sprint(loops), "--rate=4k", "-m", "16", "-w", "1s", "--seed=9", "--status=json", "--status-interval=10ms",
			}, targets...)
			whole := t.TempDir()
			n := open(t, truth)
			if r := survey(t, n, "", append(args, "-o", "replies:"+whole+"/replies", "-o", "jsonl:"+whole+"/traces")...); r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			want := readReplies(t, whole+"/replies", truth, frame.UDP)
			dir := t.TempDir()
			parts := func(name string) string { return filepath.Join(dir, name) }
			args = append(args, "--checkpoint", parts("check"), "--checkpoint-interval=10ms", "--metadata", parts("meta"),
				"-o", "replies:"+parts("replies"), "-o", "jsonl:"+parts("traces"), "-o", "csv:"+parts("csv.gz"), "-o", "warts:"+parts("warts.zst"),
				"-o", "parquet:"+parts("rows.parquet"), "-o", "pcapng:"+parts("frames"))
			random, left := rand.New(rand.NewPCG(7, uint64(len(mode)))), kills
			killed := 0
			for {
				signal, lines, wait := started(t, n, args...)
				if left > 0 {
					until(t, lines)
					time.Sleep(time.Duration(random.IntN(1200/kills)) * time.Millisecond)
					signal(syscall.SIGKILL)
				}
				rest, _ := io.ReadAll(lines)
				code := wait()
				if code == 0 {
					break
				}
				if code != -1 {
					t.Fatalf("exit code %d: %s", code, rest)
				}
				if left--; left < 0 {
					t.Fatal("killed by somebody else")
				}
				killed++
				if _, err := os.Stat(parts("check")); err == nil {
					args = []string{"--resume", parts("check"), "--status=json", "--status-interval=10ms"}
				} else {
					args = append(args, "--overwrite")
				}
			}
			t.Logf("killed %d times", killed)
			got := readReplies(t, parts("replies"), truth, frame.UDP)
			traces, all := stopsOf(t, parts("traces")), stopsOf(t, whole+"/traces")
			if mode != "adaptive" {
				if !maps.Equal(got, want) {
					t.Errorf("%d replies, want %d", len(got), len(want))
				}
			} else if a, b := hopsOf(got), hopsOf(want); !maps.Equal(a, b) {
				t.Errorf("%d hops, want %d", len(a), len(b))
			}
			if len(traces) != len(all) {
				t.Errorf("%d traces, want %d", len(traces), len(all))
			}
			for dst, want := range all {
				if got := traces[dst]; got != want {
					t.Errorf("%s: %+v, want %+v", dst, got, want)
				}
			}
			var meta metadata
			if read(t, parts("meta"), &meta); !meta.Complete || !meta.Counts.Balanced() || int(meta.Counts.Matched) != len(got) {
				t.Errorf("complete %v, %d replies, counts %+v", meta.Complete, len(got), meta.Counts)
			}
			checkOutputs(t, dir, len(got), len(traces))
		})
	}
}

// goOn goes on with a survey until it is complete, in no time.
func goOn(t *testing.T, n *internet.Net, from string) {
	t.Helper()
	if r := survey(t, n, "", "--resume", from, "--rate=20k"); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
}

// What an interrupt leaves can be gone on with, without --checkpoint too, and
// nothing that left before is sent again if what was in flight was waited for.
func TestInterruptAndResume(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8, Silent: 5}
	for _, again := range []bool{false, true} {
		for _, mode := range modes {
			n := open(t, truth)
			dir := t.TempDir()
			signal, lines, wait := started(t, n, "--mode", mode, "--status=json", "--status-interval=20ms", "--rate=200", "-m", "8", "-w", "1s",
				"-o", "replies:"+dir+"/out", "-o", "jsonl:"+dir+"/traces.zst", "20.0.0.0/25")
			until(t, lines)
			signal(syscall.SIGINT)
			if again {
				signal(syscall.SIGTERM)
			}
			rest, _ := io.ReadAll(lines)
			if code := wait(); code != 130 && (!again || code != 143) || !strings.Contains(string(rest), "go on with: hopquote survey --resume "+dir+"/out.checkpoint\n") {
				t.Fatalf("%s: exit code %d: %s", mode, code, rest)
			}
			readReplies(t, dir+"/out", truth, frame.UDP)
			unpacked(t, dir+"/traces.zst")
			goOn(t, n, dir+"/out.checkpoint")
			got := readReplies(t, dir+"/out", truth, frame.UDP)
			traces := bytes.Count(unpacked(t, dir+"/traces.zst"), []byte("\n"))
			c, _ := n.Counters()
			total := c.Total()
			if traces != 128 || !again && len(got) != int(total.Answered) || !again && mode != "adaptive" && total.Asked != 128*8 {
				t.Errorf("%s: %d traces, %d replies, the Internet counts %+v", mode, traces, len(got), total)
			}
			if r := survey(t, n, "", "--resume", dir+"/out.checkpoint"); r.code != 0 || !strings.Contains(r.stderr, "complete") {
				t.Errorf("%s: exit code %d: %s", mode, r.code, r.stderr)
			}
		}
	}
}

// Where an output fails, the run ends with code 3 and a line that tells how to
// go on, and nothing is missing once it did.
func TestFailureAndResume(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 8}
	for _, rate := range []string{"20k", "2k"} { // noticed at the end, or long before
		t.Run(rate, func(t *testing.T) { failAndResume(t, truth, rate) })
	}
}

func failAndResume(t *testing.T, truth internet.Config, rate string) {
	n := open(t, truth)
	dir := t.TempDir()
	small, enlarge := smallDisk(t, "64k")
	out := small + "/out"
	r := survey(t, n, "", "--rate", rate, "--mode=full", "-m", "8", "--checkpoint", dir+"/check", "-o", "replies:"+out, "-o", "csv:"+dir+"/csv", "20.0.0.0/24")
	if r.code != 3 || !strings.Contains(r.stderr, "no space left on device; go on with: hopquote survey --resume "+dir+"/check\n") {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	before := len(readReplies(t, out, truth, frame.UDP))
	enlarge("1m")
	goOn(t, n, dir+"/check")
	got := readReplies(t, out, truth, frame.UDP)
	b, _ := os.ReadFile(dir + "/csv")
	if before == 0 || before >= len(got) || len(got) != 8*256 || bytes.Count(b, []byte("\n")) != len(got)+1 {
		t.Errorf("%d replies before, %d after, want %d", before, len(got), 8*256)
	}
}

// A checkpoint is for the survey that it is of, and for nothing else.
func TestResumeRefused(t *testing.T) {
	n := open(t, internet.Config{Seed: 5, MinHops: 4, MaxHops: 8})
	dir := t.TempDir()
	check, out := dir+"/check", dir+"/out"
	signal, lines, wait := started(t, n, "--status=json", "--status-interval=20ms", "--rate=1k", "--seed=4", "--checkpoint", check, "-o", "replies:"+out, "20.0.0.0/24")
	until(t, lines)
	signal(syscall.SIGINT)
	_, _ = io.Copy(io.Discard, lines)
	wait()
	like := []string{"--resume", check, "--seed=4", "-o", "replies:" + out}
	for want, args := range map[string][]string{
		"targets: 512, digest":                        append(like, "20.0.0.0/23"),
		"--mode: full, and the checkpoint has":        append(like, "--mode=full", "20.0.0.0/24"),
		"--max-ttl: 9, and the checkpoint has 32":     {"--resume", check, "-m", "9"},
		"--seed: 5, and the checkpoint has 4":         {"--resume", check, "--seed=5"},
		"--output: csv:x, and the checkpoint has":     {"--resume", check, "--seed=4", "-o", "csv:x", "20.0.0.0/24"},
		"checkpoint " + out + ": it is none":          {"--resume", out},
		"checkpoint /no/such: no such file or direct": {"--resume", "/no/such"},
	} {
		r := survey(t, n, "", args...)
		if r.code != 2 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d: %s; want %s", args, r.code, r.stderr, want)
		}
	}
	if err := os.Truncate(out, 10); err != nil {
		t.Fatal(err)
	}
	if r := survey(t, n, "", "--resume", check); r.code != 1 || !strings.Contains(r.stderr, "it has 10 bytes, and had ") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
}
