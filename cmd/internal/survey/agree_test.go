package survey

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/capture/wireshark"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/cmd/internal/output/parquet"
)

// seen is a hop as an output tells it.
type seen struct {
	dst, from netip.Addr
	ttl       int
}

// hopTimes are the RTTs of hops.
type hopTimes map[seen]time.Duration

func (h hopTimes) add(t *testing.T, dst, from string, ttl int, rtt float64, unit time.Duration) {
	t.Helper()
	k := seen{netip.MustParseAddr(dst).Unmap(), netip.MustParseAddr(from).Unmap(), ttl}
	if _, ok := h[k]; ok {
		t.Fatalf("%v a second time", k)
	}
	h[k] = time.Duration(rtt * float64(unit))
}

// agree holds what one output tells against another: the same hops, at RTTs that
// differ by less than its unit.
func (h hopTimes) agree(t *testing.T, name string, got hopTimes, unit time.Duration) {
	t.Helper()
	if len(got) != len(h) {
		t.Errorf("%s: %d hops, want %d", name, len(got), len(h))
	}
	for k, want := range h {
		// The frames of a batch share a system call, and each has its part of it:
		// a reply may be stamped before that, and no RTT is less than 1 ns.
		if rtt, ok := got[k]; !ok || (max(rtt, 1)-want).Abs() >= unit {
			t.Errorf("%s: %v after %s (%v), want %s", name, k, rtt, ok, want)
			return
		}
	}
}

// One survey in all formats at once: what the formats' own programs, where there
// are any, and readers of the texts make of them is the same.
func TestOutputsAgree(t *testing.T) {
	truth := internet.Config{Seed: 5, MinHops: 6, MaxHops: 10, Silent: 10, SilentHosts: 10}
	n := open(t, truth)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	args := []string{"--mode=full", "--rate=5k", "-m", "12", "-w", "1s", "20.1.0.0/27", "2600:1:2:3::/124"}
	for _, k := range kindNames() {
		args = append(args, "-o", k+":"+path("out."+k)) // scamper's tools look at the suffix
	}
	if r := survey(t, n, "", args...); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	want := hopTimes{}
	for _, r := range columns(t, path("out.replies")) {
		want.add(t, r["target"], r["responder"], atoi(r["ttl"]), atof(r["rtt_us"]), time.Microsecond)
	}
	if len(want) < 48*6 {
		t.Fatalf("%d hops", len(want))
	}
	got := hopTimes{}
	for _, r := range columns(t, path("out.csv")) {
		got.add(t, r["target"], r["responder"], atoi(r["ttl"]), atof(r["rtt_us"]), time.Microsecond)
	}
	want.agree(t, "csv", got, 2)
	got = hopTimes{}
	for _, r := range columns(t, path("out.caracal-csv")) {
		got.add(t, r["probe_dst_addr"], r["reply_src_addr"], atoi(r["probe_ttl"]), atof(r["rtt"]), 100*time.Microsecond)
	}
	want.agree(t, "caracal-csv", got, 100*time.Microsecond)
	rows, err := parquetgo.ReadFile[parquet.Row](path("out.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	got = hopTimes{}
	for _, r := range rows {
		got.add(t, r.Target, r.Responder, int(r.TTL), float64(r.RTT), 1)
	}
	want.agree(t, "parquet", got, 2)
	if read := by(t, "parquet_reader", "--no-metadata", "--json", path("out.parquet")); read != "" {
		want.agree(t, "parquet, read by Apache Arrow", arrowHops(t, read), 2)
	}
	got = hopTimes{}
	for _, trace := range objects[jsonl.Trace](t, path("out.jsonl")) {
		for _, r := range trace.Replies {
			got.add(t, trace.Target.String(), r.Responder.String(), int(r.TTL), float64(r.RTTNS), 1)
		}
	}
	want.agree(t, "jsonl", got, 2)
	got = hopTimes{}
	for _, trace := range objects[atlasTrace](t, path("out.atlas")) {
		for _, hop := range trace.Result {
			for _, r := range hop.Result {
				if r.X == "" {
					got.add(t, trace.Dst, r.From, hop.Hop, r.RTT, time.Millisecond)
				}
			}
		}
	}
	want.agree(t, "atlas", got, time.Microsecond)
	// What lies behind the target is left out of scamper's formats.
	behind := map[netip.Addr]int{}
	for k := range want {
		if k.dst == k.from && (behind[k.dst] == 0 || k.ttl < behind[k.dst]) {
			behind[k.dst] = k.ttl
		}
	}
	before := hopTimes{}
	for k, rtt := range want {
		if last := behind[k.dst]; last == 0 || k.ttl <= last {
			before[k] = rtt
		}
	}
	before.agree(t, "scamper-json", scamperHops(t, path("out.scamper-json")), time.Microsecond)
	if read := by(t, "sc_warts2json", path("out.warts")); read != "" {
		before.agree(t, "warts", scamperHops(t, read), time.Microsecond)
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Logf("tshark is not installed: its format is not compared")
	} else {
		read, err := wireshark.Headers(path("out.pcapng"), "-Y", "ip and not arp", "-T", "fields", "-E", "separator=;", "-e", "frame.time_epoch", "-e", "ip.src",
			"-e", "ip.dst", "-e", "ip.ttl", "-e", "ip.id", "-e", "udp.checksum")
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		four := hopTimes{}
		for k, rtt := range want {
			if k.dst.Is4() {
				four[k] = rtt
			}
		}
		four.agree(t, "pcapng", frameHops(read), 2*time.Nanosecond)
	}
}

type atlasTrace struct {
	Dst    string `json:"dst_addr"`
	Result []struct {
		Hop    int `json:"hop"`
		Result []struct {
			X    string  `json:"x"`
			From string  `json:"from"`
			RTT  float64 `json:"rtt"`
		} `json:"result"`
	} `json:"result"`
}

// arrowHops reads what Apache Arrow's reader of Parquet prints as JSON.
func arrowHops(t *testing.T, file string) hopTimes {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Target    string `json:"target"`
		Responder string `json:"responder"`
		TTL       int    `json:"ttl"`
		RTT       int64  `json:"rtt_ns"`
	}
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatalf("parquet_reader: %v", err)
	}
	got := hopTimes{}
	for _, r := range rows {
		got.add(t, r.Target, r.Responder, r.TTL, float64(r.RTT), 1)
	}
	return got
}

// scamperHops reads scamper's JSON.
func scamperHops(t *testing.T, file string) hopTimes {
	t.Helper()
	got := hopTimes{}
	for _, trace := range objects[struct {
		Dst  string `json:"dst"`
		Hops []struct {
			Addr string  `json:"addr"`
			TTL  int     `json:"probe_ttl"`
			RTT  float64 `json:"rtt"`
		} `json:"hops"`
	}](t, file) {
		for _, h := range trace.Hops {
			got.add(t, trace.Dst, h.Addr, h.TTL, h.RTT, time.Millisecond)
		}
	}
	return got
}

// frameHops puts probes and errors together by identification and checksum, of
// which a reply has the quoted ones behind its own.
func frameHops(lines string) hopTimes {
	type frame struct {
		at  time.Duration
		dst string
		ttl int
	}
	probes, got := map[string]frame{}, hopTimes{}
	for range 2 { // replies may stand before their probes
		for line := range strings.Lines(lines) {
			f := strings.Split(strings.TrimSpace(line), ";")
			sec, ns, _ := strings.Cut(f[0], ".")
			at := time.Duration(atoi(sec))*time.Second + time.Duration(atoi(ns))
			src, dst, ttl, id := strings.Split(f[1], ","), strings.Split(f[2], ","), strings.Split(f[3], ","), strings.Split(f[4], ",")
			if len(src) == 1 {
				probes[id[0]+f[5]] = frame{at, dst[0], atoi(ttl[0])}
			} else if p, ok := probes[id[1]+f[5]]; ok {
				k := seen{netip.MustParseAddr(p.dst), netip.MustParseAddr(src[0]), p.ttl}
				got[k] = max(at-p.at, 1) // as RTTs are, whose two times are read by two clocks
			}
		}
	}
	return got
}

// by gives what a program makes of a file, in a file; nothing without it.
func by(t *testing.T, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Logf("%s is not installed: its format is not compared", program)
		return ""
	}
	out, err := exec.Command(path, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	file := filepath.Join(t.TempDir(), program)
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// rowsOf are the lines of a file of comma-separated values.
func rowsOf(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// columns reads comma-separated values by the names in the first line.
func columns(t *testing.T, file string) []map[string]string {
	t.Helper()
	rows := rowsOf(t, file)
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, v := range row {
			m[rows[0][i]] = v
		}
		list = append(list, m)
	}
	return list
}

// objects reads lines of JSON.
func objects[T any](t *testing.T, file string) []T {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []T
	for line := range bytes.Lines(b) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, v)
	}
	return list
}

func atoi(s string) int     { n, _ := strconv.Atoi(s); return n }
func atof(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f }
