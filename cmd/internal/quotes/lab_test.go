package quotes

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
)

// tool gives a program's path, or skips the test.
func tool(t *testing.T, name, pack string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: apt-get install %s", name, pack)
	}
	return path
}

// record runs commands in a host of a lab and gives the capture of all its
// links, made by tcpdump.
func record(t *testing.T, h *lab.Host, commands ...[]string) string {
	t.Helper()
	dump := tool(t, "tcpdump", "tcpdump")
	dir := t.TempDir()
	path := filepath.Join(dir, "any.pcap")
	d := exec.Command(dump, "-n", "-i", "any", "-U", "--immediate-mode", "-s", "2048", "-B", "16384", "-w", path, "-Z", "root")
	var log bytes.Buffer
	d.Stderr = &log
	if err := h.Start(d); err != nil {
		t.Fatal(err)
	}
	// tcpdump writes the file's header once it listens.
	until(t, "tcpdump listens", func() bool { i, err := os.Stat(path); return err == nil && i.Size() > 0 })
	for _, args := range commands {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir // dublin-traceroute leaves a file behind
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		start := h.Start
		if args[0] == "traceroute" {
			start = h.StartConfined
		}
		if err := start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out.String())
		}
	}
	// The last replies have been captured when the file stands still.
	size, still := int64(-1), 0
	until(t, "the capture to be written", func() bool {
		i, err := os.Stat(path)
		if err != nil || i.Size() != size {
			still = 0
		}
		if err == nil {
			size = i.Size()
		}
		still++
		return still == 20
	})
	if err := d.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(); err != nil {
		t.Fatalf("tcpdump: %v\n%s", err, log.String())
	}
	if !strings.Contains(log.String(), "0 packets dropped by kernel") {
		t.Fatalf("tcpdump missed packets:\n%s", log.String())
	}
	return path
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1200 {
		time.Sleep(50 * time.Millisecond)
		if done() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

func openLab(t *testing.T) *lab.Net {
	t.Helper()
	lab.Skip(t)
	n, err := lab.Open(lab.Topologies()[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

const labTarget = "192.168.120.20"

// What other programs send and get is explained completely: every reply is
// attributed, none is odd.
func TestTools(t *testing.T) {
	for _, tt := range []struct {
		pack string
		args []string
		own  string // the key that the program itself uses
	}{
		{"traceroute", []string{"traceroute", "-n", labTarget}, "traceroute"},
		{"traceroute", []string{"traceroute", "-n", "-I", labTarget}, "traceroute"},
		{"traceroute", []string{"traceroute", "-n", "-T", labTarget}, ""},
		{"scamper", []string{"scamper", "-c", "trace -P udp-paris", "-i", labTarget}, "scamper"},
		{"scamper", []string{"scamper", "-c", "trace -P icmp-paris", "-i", labTarget}, "scamper"},
		{"mtr-tiny", []string{"mtr", "-n", "-r", "-c", "2", "-i", "0.2", labTarget}, ""},
		{"dublin-traceroute", []string{"dublin-traceroute", "-n", "3", "-t", "4", labTarget}, "dublin"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			tool(t, tt.args[0], tt.pack)
			path := record(t, openLab(t).Host("h1"), tt.args)
			o := jsonl(t, path)
			if o.status != 0 {
				t.Fatalf("exit %d: %s", o.status, o.stderr)
			}
			n := len(o.of("reply"))
			if n < 3 {
				t.Fatalf("%d replies:\n%s", n, o.stdout)
			}
			for _, r := range o.of("reply") {
				if r.Verdict != "exact" {
					t.Errorf("packet %d from %s: %s %v %s", r.Packet, r.Responder, r.Verdict, r.Anomalies, r.fields())
				}
			}
			for _, k := range o.of("key") {
				if k.Wrong+k.False > 0 {
					t.Errorf("key %s: %d wrong, %d false", k.Key, k.Wrong, k.False)
				}
				// The target's own answers quote no identification.
				if k.Key == tt.own && k.Right+k.Ambiguous+k.None != n {
					t.Errorf("key %s: %d right, %d ambiguous, %d none of %d", k.Key, k.Right, k.Ambiguous, k.None, n)
				}
				if k.Key == "hopquote" && k.Right != n {
					t.Errorf("hopquote: %d right of %d, want all", k.Right, n)
				}
			}
		})
	}
}

// tshark pairs echo requests and replies by itself, and dissects quotes: both
// agree with ours.
func TestTshark(t *testing.T) {
	tshark := tool(t, "tshark", "tshark")
	tool(t, "traceroute", "traceroute")
	path := record(t, openLab(t).Host("h1"),
		[]string{"traceroute", "-n", "-I", labTarget}, []string{"traceroute", "-n", labTarget})
	o := jsonl(t, path)
	fields := func(filter string, names ...string) []string {
		args := []string{"-n", "-r", path, "-Y", filter, "-T", "fields", "-E", "separator=,", "-E", "aggregator=;"}
		for _, n := range names {
			args = append(args, "-e", n)
		}
		out, err := exec.Command(tshark, args...).Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	var pairs, quotes []string
	for _, r := range o.of("reply") {
		switch {
		case r.ProbePkt == nil:
			t.Errorf("packet %d: %s", r.Packet, r.Verdict)
		case r.Kind == "echo_reply":
			pairs = append(pairs, fmt.Sprintf("%d,%d", r.Packet, *r.ProbePkt))
		default:
			quotes = append(quotes, fmt.Sprintf("%d,%d", r.Packet, *r.QuoteTTL))
		}
	}
	if want := fields("icmp.type == 0", "frame.number", "icmp.resp_to"); strings.Join(pairs, " ") != strings.Join(want, " ") {
		t.Errorf("pairs %v, tshark %v", pairs, want)
	}
	var want []string
	for _, s := range fields("icmp.type == 11 || icmp.type == 3", "frame.number", "ip.ttl") {
		number, ttls, _ := strings.Cut(s, ",")
		_, quoted, _ := strings.Cut(ttls, ";")
		want = append(want, number+","+quoted)
	}
	if len(pairs) == 0 || len(quotes) == 0 || strings.Join(quotes, " ") != strings.Join(want, " ") {
		t.Errorf("%d pairs, quotes %v, tshark %v\n%s", len(pairs), quotes, want, o.stdout)
	}
	// The ports that tshark reads in each quote are those of the probe.
	sent := map[string]string{}
	for _, s := range fields("udp && !icmp", "frame.number", "udp.srcport", "udp.dstport") {
		number, ports, _ := strings.Cut(s, ",")
		sent[number] = ports
	}
	byNumber := map[string]string{}
	for _, s := range fields("icmp && udp", "frame.number", "udp.srcport", "udp.dstport") {
		number, ports, _ := strings.Cut(s, ",")
		byNumber[number] = ports
	}
	for _, r := range o.of("reply") {
		quoted, ok := byNumber[fmt.Sprint(r.Packet)]
		if ok && r.ProbePkt != nil && sent[fmt.Sprint(*r.ProbePkt)] != quoted {
			t.Errorf("packet %d: tshark reads ports %s, its probe %d has %s", r.Packet, quoted, *r.ProbePkt, sent[fmt.Sprint(*r.ProbePkt)])
		}
	}
	if len(byNumber) == 0 {
		t.Error("tshark found no quoted UDP")
	}
}
