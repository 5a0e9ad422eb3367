package benchcmd

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// quickly are the options of a run that shall be over soon.
func quickly(args ...string) []string {
	return append(args, "--rounds", "1", "--time", "10ms")
}

func TestCodecs(t *testing.T) {
	d := run(t, 0, append(quickly("frames", "decode"), "--time", "1us")...)
	for i, least := range []int{20, 40, 3} {
		if len(d.Tables) <= i || len(d.Tables[i].Rows) < least {
			t.Fatalf("%d tables, number %d is not there or has fewer than %d rows", len(d.Tables), i, least)
		}
	}
	for _, family := range []string{"IPv4", "IPv6"} {
		ours, theirs := d.row(t, "frames", "udp", family, "template"), d.row(t, "frames", "udp", family, "gopacket, new layers")
		if ours("allocations") > 0.1 || theirs("allocations") < 1 || ours("time_ns") <= 0 {
			t.Errorf("%s: a template allocates %v times, gopacket %v", family, ours("allocations"), theirs("allocations"))
		}
	}
	if d.Internet != nil {
		t.Error("an Internet was simulated for codecs")
	}
}

func TestWire(t *testing.T) {
	d := run(t, 0, append(quickly("tx", "rx"), "--lossy", "--rate", "20000,0")...)
	for _, sender := range []string{"packet", "packet-bypass", "xdp"} {
		row := d.row(t, "tx", sender)
		if row("sent_frames") == 0 || row("sent_frames") != row("counted_frames") {
			t.Errorf("%s sent %v frames, the link counted %v", sender, row("sent_frames"), row("counted_frames"))
		}
	}
	if n := d.row(t, "tx", "null")("counted_frames"); n != 0 {
		t.Errorf("the null sender sent %v frames", n)
	}
	row := d.row(t, "rx", "256 KiB, 10 ms", "20000")
	if row("walked_packets") == 0 || row("walked_packets")+row("dropped_packets") != row("offered_packets") {
		t.Errorf("%v offered, %v walked, %v dropped", row("offered_packets"), row("walked_packets"), row("dropped_packets"))
	}
	if row := d.row(t, "rx", "lossy: 2 blocks of 4 KiB, slow", "max"); row("complete_percent") >= 100 || row("dropped_packets") == 0 {
		t.Errorf("a lossy receiver kept %v %%", row("complete_percent"))
	}
	for _, r := range d.Tables[1].Rows {
		if strings.HasPrefix(r.Labels[0], "lossy") && r.Labels[1] == "max" && !strings.Contains(strings.Join(r.Notes, ""), "lossy") {
			t.Errorf("%q is not reported as lossy: %q", r.Labels, r.Notes)
		}
	}
}

// All counts of the bare loop agree, and it is drawn.
func TestLoop(t *testing.T) {
	dir := t.TempDir()
	svg, profile := filepath.Join(dir, "loop.svg"), filepath.Join(dir, "cpu")
	d := run(t, 0, append(quickly("loop"), "--inline", "--rate", "20000,0", "--only", "bare loop, packet", "--only", "bare loop, xdp",
		"--plot", svg, "--cpuprofile", profile)...)
	for _, name := range []string{"bare loop, packet", "bare loop, xdp"} {
		for _, asked := range []string{"20000", "max"} {
			row := d.row(t, "loop", name, asked)
			if n := row("probes"); n < 100 || row("answered") != n || row("records") != n || row("complete_percent") != 100 {
				t.Errorf("%s at %s: %v probes, %v answered, %v matched", name, asked, n, row("answered"), row("records"))
			}
			if row("cpu_s_per_million") <= 0 || row("rtt_p50_us") <= 0 || row("latency_p99_us") <= 0 || row("peak_mib") <= 0 {
				t.Errorf("%s at %s: a figure is not there", name, asked)
			}
		}
	}
	drawing, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	for x := xml.NewDecoder(bytes.NewReader(drawing)); ; {
		if _, err := x.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the drawing is not well-formed: %v", err)
		}
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("no CPU profile of the bare loop: %v", err)
	}
}

// A prober that writes half of its replies is reported with 50 percent.
func TestPeerOfHalf(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	half := "half=" + self + " bare --target 20.0.0.0 --probes {probes} --rate {rate} --hops {hops} > /dev/null && seq $(({probes} / 2)) > {output}"
	for _, suite := range []string{"peers", "loop"} {
		d := run(t, 0, append(quickly(suite), "--inline", "--rate", "32000", "--peer", half, "--only", "half")...)
		row := d.row(t, suite, "half", "32000")
		if row("answered") != 320 || row("records") != 160 || row("complete_percent") != 50 {
			t.Errorf("%s: %v answered, %v written, %v %%; want 320, 160, 50", suite, row("answered"), row("records"), row("complete_percent"))
		}
	}
}

// A prober of our own whose counts disagree makes the run a failed one.
func TestFailed(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "hopquote")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, append(quickly("trace"), "--hopquote", script, "--only", "hopquote trace", "--format", "json")...)
	lab.Skip(t)
	d := read(t, finish(t, cmd), 1)
	if !d.Failed || !strings.Contains(strings.Join(d.Tables[0].Rows[0].Problems, "; "), "exit status 7") {
		t.Errorf("failed %t, %+v", d.Failed, d.Tables[0].Rows[0])
	}
}

func TestTrace(t *testing.T) {
	d := run(t, 0, append(quickly("trace"), "--traces", "2", "--hopquote", hopquote(t), "--only", "hopquote trace", "--only", "traceroute")...)
	programs := []string{"hopquote trace"}
	if _, err := exec.LookPath("traceroute"); err == nil {
		programs = append(programs, "traceroute")
	}
	for _, p := range programs {
		for probes, want := range map[string]float64{"1 x 16": 16, "3 x 16": 48} {
			row := d.row(t, "trace", p, probes)
			if row("records") != want || row("wall_ms") <= 0 || row("output_ms") > row("wall_ms") {
				t.Errorf("%s, %s: %v printed in %v ms", p, probes, row("records"), row("wall_ms"))
			}
		}
		if row := d.row(t, "traces", p); row("records") < 32 || row("wall_s") <= 0 {
			t.Errorf("%s: %v replies of 2 traces in %v s", p, row("records"), row("wall_s"))
		}
	}
}

// The peers' table names all of them, and says of those that are missing what
// to install.
func TestPeers(t *testing.T) {
	lab.Skip(t)
	cmd := command(t, append(quickly("peers"), "--inline", "--format", "json", "--rate", "0")...)
	cmd.Env = append(cmd.Env, "PATH=")
	d := read(t, finish(t, cmd), 0)
	names := ""
	for _, r := range d.Tables[0].Rows {
		names += r.Labels[0] + " "
		if r.Skipped == nil || *r.Skipped == "" {
			t.Errorf("%q is not skipped without a PATH", r.Labels)
		}
	}
	for _, p := range []string{"traceroute", "scamper", "mtr", "masscan", "zmap", "dublin-traceroute"} {
		if !strings.Contains(names, p+" ") {
			t.Errorf("%s is not among the peers: %s", p, names)
		}
	}
}

// An interrupt ends the run with what was measured.
func TestInterrupt(t *testing.T) {
	lab.Skip(t)
	cmd := command(t, "frames", "tx", "--rounds", "1000", "--time", "1ms", "--only", "null", "--format", "json")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { _ = cmd.Process.Signal(unix.SIGINT) })
	_ = cmd.Wait()
	d := read(t, result{lab.ExitStatus(cmd.ProcessState), out.String(), errs.String()}, 130)
	if d.Error == nil || !strings.Contains(*d.Error, "interrupted") || len(d.Tables) != 1 {
		t.Errorf("error %v, %d tables; want that it was interrupted, and one", d.Error, len(d.Tables))
	}
}
