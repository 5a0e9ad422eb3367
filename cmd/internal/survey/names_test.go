package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
)

// nameServer has a command look host names up in a file, with a name and its
// address in each line.
const nameServer = "HOPQUOTE_TEST_NAMES"

func lookInFile(file string) func(string) func(context.Context, string) (netip.Addr, error) {
	return func(string) func(context.Context, string) (netip.Addr, error) {
		return func(_ context.Context, host string) (netip.Addr, error) {
			b, _ := os.ReadFile(file)
			for line := range strings.Lines(string(b)) {
				if name, addr, _ := strings.Cut(strings.TrimSpace(line), " "); name == host {
					return netip.ParseAddr(addr)
				}
			}
			return netip.Addr{}, fmt.Errorf("target %s: %w", host, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
		}
	}
}

// Names of a list that can't be looked up are left out, told and counted. A
// survey that is gone on with has the addresses that its names had when it began.
func TestNamesLeftOut(t *testing.T) {
	n := open(t, internet.Config{Seed: 5, MinHops: 8, MaxHops: 8})
	dir := t.TempDir()
	serve := func(text string) {
		if err := os.WriteFile(dir+"/names", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(nameServer, dir+"/names")
	serve("one.example 20.1.0.1\ntwo.example 20.1.0.2\n")
	list := "one.example\ngone.example\n20.2.0.0/24\nlost.example\ngone.example\ntwo.example\n"
	if err := os.WriteFile(dir+"/list", []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	r := survey(t, n, "", "--dry-run", dir+"/list")
	if r.code != 0 || !strings.Contains(r.out, "targets   258\n") ||
		!strings.Contains(r.out, "left out  2 targets are left out, such as gone.example: there is no host of that name\n") {
		t.Fatalf("exit code %d: %s%s", r.code, r.out, r.stderr)
	}
	r = survey(t, n, "", "--shard=1/4", "--rate=max", "-w", "200ms", "-o", "csv:/dev/null", dir+"/list")
	if r.code != 0 || !strings.Contains(r.stderr, "\n258 targets, shard 1 of 4, ") || strings.Count(r.stderr, "2 targets are left out") != 1 ||
		strings.Count(r.stderr, "list, line 2: gone.example is left out: lookup gone.example: no such host\n") != 1 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	signal, lines, wait := started(t, n, "--status=json", "--status-interval=20ms", "--rate=50", "-m", "8", "-w", "200ms",
		"--checkpoint", dir+"/kept", "-o", "jsonl:"+dir+"/traces", dir+"/list")
	until(t, lines)
	signal(syscall.SIGINT)
	_, _ = io.ReadAll(lines)
	if code := wait(); code != exitInterrupted+int(syscall.SIGINT) {
		t.Fatalf("exit code %d", code)
	}
	serve("one.example 20.9.9.9\nlost.example 20.9.9.8\n")
	r = survey(t, n, "", "--resume", dir+"/kept", "--rate=max", "--metadata", dir+"/meta")
	if r.code != 0 || strings.Count(r.stderr, "2 targets are left out, such as gone.example: there is no host of that name\n") != 2 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	var meta metadata
	read(t, dir+"/meta", &meta)
	if diff := cmp.Diff([]leftOut{{"there is no host of that name", 2, "gone.example"}}, meta.LeftOut); diff != "" || meta.Targets != 258 || !meta.Complete {
		t.Errorf("%d targets, complete: %v; left out (-want +got):\n%s", meta.Targets, meta.Complete, diff)
	}
	traces := map[string]bool{}
	for _, trace := range objects[jsonl.Trace](t, dir+"/traces") {
		traces[trace.Target.String()] = true
	}
	if len(traces) != 258 || !traces["20.1.0.1"] || !traces["20.1.0.2"] {
		t.Errorf("%d traces, those of names %v and %v", len(traces), traces["20.1.0.1"], traces["20.1.0.2"])
	}
}

// Each name that is left out is told once, with its place and the reason. Where
// nothing is left there is no survey; nor is there one where an argument is
// neither a file nor a host.
func TestNamesMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(nameServer, dir+"/names")
	if err := os.WriteFile(dir+"/names", []byte("one.example 20.1.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const gone = "hopquote survey: standard input, line 1: gone.example is left out: lookup gone.example: no such host\n"
	for _, tt := range []struct {
		args, stdin string
		code        int
		stderr      string
	}{
		{"-", "gone.example\none.example\ngone.example\n", exitDone, gone},
		{"-", "gone.example\n", exitUsage, gone + "hopquote survey: no targets are left: target gone.example is left out: there is no host of that name\n"},
		{"gone.example", "", exitUsage, "hopquote survey: target gone.example: there is no file and no host of that name\n"},
		{"one.example gone.example", "", exitUsage, "hopquote survey: target gone.example: there is no file and no host of that name\n"},
	} {
		cmd, _, stderr := command(t, append([]string{"--dry-run"}, strings.Fields(tt.args)...)...)
		cmd.Stdin = strings.NewReader(tt.stdin)
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || stderr.String() != tt.stderr {
			t.Errorf("%s %q: exit code %d, want %d\ngot  %swant %s", tt.args, tt.stdin, code, tt.code, stderr, tt.stderr)
		}
	}
}

// What is known of names outlives a checkpoint; others are still asked for.
func TestNamesPacked(t *testing.T) {
	asked := ""
	ask := func(_ context.Context, host string) (netip.Addr, error) {
		asked += host + " "
		if host == "gone" {
			return netip.Addr{}, &net.DNSError{IsTimeout: true}
		}
		return netip.MustParseAddr("2600::1"), nil
	}
	var told strings.Builder
	n := &hostNames{ask: ask, stderr: &told, known: map[string]named{}}
	for range 2 {
		for _, name := range []string{"six", "gone"} {
			if _, err := n.lookup(t.Context(), name); err != nil {
				n.leaveOut("list, line 1", name, err)
			}
		}
	}
	if asked != "six gone " || strings.Count(told.String(), "\n") != 1 {
		t.Errorf("asked for %q, told %q", asked, &told)
	}
	again, err := newNames(&options{}, n.pack(), &told)
	if err != nil {
		t.Fatal(err)
	}
	again.ask = ask
	six, err := again.lookup(t.Context(), "six")
	if _, gone := again.lookup(t.Context(), "gone"); err != nil || six != netip.MustParseAddr("2600::1") || gone == nil || asked != "six gone " {
		t.Errorf("%v, %v, %v; asked for %q", six, err, gone, asked)
	}
	if _, err := again.lookup(t.Context(), "new"); err != nil || asked != "six gone new " {
		t.Errorf("%v; asked for %q", err, asked)
	}
	if diff := cmp.Diff([]leftOut{{"no name server answered in time", 1, "gone"}}, again.leftOut()); diff != "" {
		t.Error(diff)
	}
	packed := again.pack()
	for i := 1; i < len(n.pack()); i++ {
		if i == len("six")+1+1+17 {
			continue // between two of them
		}
		if _, err := newNames(&options{}, packed[:i], &told); err == nil {
			t.Errorf("%d of %d bytes are taken", i, len(packed))
		}
	}
}

func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"there is no host of that name":    fmt.Errorf("target x: %w", &net.DNSError{IsNotFound: true}),
		"no name server answered in time":  &net.DNSError{IsTimeout: true, IsTemporary: true},
		"it can't be looked up":            &net.DNSError{Err: "server misbehaving", IsTemporary: true},
		"it has no address of that family": fmt.Errorf("target x: %w", &net.AddrError{Err: "no suitable address"}),
	} {
		if got := reason(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	if got := reason(errors.New("else")); got != "it can't be looked up" {
		t.Error(got)
	}
}
