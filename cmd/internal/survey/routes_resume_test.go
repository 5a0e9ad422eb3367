package survey

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
)

// Routes may change between the runs of a survey: each goes by its own, and what
// is left out at a time is not probed later. That holds after a kill too.
func TestRoutesResume(t *testing.T) {
	n := openLAN(t)
	for _, mode := range modes {
		for _, by := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
			t.Run(fmt.Sprint(mode, " ", by), func(t *testing.T) { resumeRerouted(t, n, mode, by) })
		}
	}
}

func resumeRerouted(t *testing.T, n *internet.Net, mode string, by syscall.Signal) {
	targets := []string{"20.1.0.0/24", "20.2.0.0/24", "20.50.0.30", "20.3.0.0/26"}
	dir := t.TempDir()
	args := []string{
		"--mode", mode, "--status=json", "--status-interval=20ms", "--rate=500", "-m", "2", "-w", "1s", "--checkpoint", dir + "/kept", "--checkpoint-interval=50ms",
		"-o", "replies:" + dir + "/out", "-o", "jsonl:" + dir + "/traces",
	}
	signal, lines, wait := started(t, n, append(args, targets...)...)
	for until(t, lines).Sent < 200 {
	}
	signal(by)
	rest, _ := io.ReadAll(lines)
	if code := wait(); code == exitDone {
		t.Fatalf("it came to its end: %s", rest)
	}
	runIP(t, n.Net, internet.Prober, "route add blackhole 20.2.0.0/25")
	r := survey(t, n, "", "--resume", dir+"/kept", "--rate=5k", "--metadata", dir+"/meta")
	runIP(t, n.Net, internet.Prober, "route del blackhole 20.2.0.0/25")
	if r.code != exitDone || !strings.Contains(r.stderr, "192 targets are left out, such as 20.2.0.0: blackhole route\n") {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s, err := readTargets(t.Context(), &options{targets: targets}, nil, &hostNames{})
	if err != nil {
		t.Fatal(err)
	}
	routed := map[netip.Addr]bool{}
	for i := range s.Len() {
		if a := s.At(i); lanPath(a) != nil && !netip.MustParsePrefix("20.2.0.0/25").Contains(a) {
			routed[a] = true
		}
	}
	var meta metadata
	read(t, dir+"/meta", &meta)
	seen, answered := map[string]bool{}, map[netip.Addr]bool{}
	for _, r := range columns(t, dir+"/out") {
		a := netip.MustParseAddr(r["target"])
		if p := lanPath(a); p == nil || p[min(atoi(r["ttl"]), len(p))-1].String() != r["responder"] || seen[r["target"]+" "+r["ttl"]] {
			t.Fatalf("%v, a second time: %t", r, seen[r["target"]+" "+r["ttl"]])
		}
		seen[r["target"]+" "+r["ttl"]] = true
		answered[a] = true
	}
	traces := map[netip.Addr]bool{}
	for _, trace := range objects[jsonl.Trace](t, dir+"/traces") {
		traces[trace.Target] = true
	}
	for a := range routed {
		if !answered[a] || !traces[a] {
			t.Errorf("%s is missing", a)
		}
	}
	for a := range traces {
		if lanPath(a) == nil { // others may have been probed, and not heard of
			t.Errorf("%s has a trace and was not probed", a)
		}
	}
	for a := range answered {
		if !traces[a] {
			t.Errorf("%s has no trace", a)
		}
	}
	if !meta.Complete || !meta.Counts.Balanced() {
		t.Errorf("counts %+v", meta.Counts)
	}
}
