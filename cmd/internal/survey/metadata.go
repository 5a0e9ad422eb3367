package survey

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// metadataSchema is the value of "schema".
const metadataSchema = "hopquote.survey.run/2"

// metadata is what --metadata writes: what was run, and what became of it.
type metadata struct {
	Schema    string      `json:"schema"`
	Program   string      `json:"program"`
	Version   string      `json:"version"`
	Go        string      `json:"go"`
	Args      []string    `json:"arguments"`
	Host      string      `json:"host"`
	CPUs      int         `json:"cpus"`
	Kernel    string      `json:"kernel"`
	Interface string      `json:"interface"`
	Sender    string      `json:"sender"`
	Source4   string      `json:"source_ipv4"`
	Source6   string      `json:"source_ipv6"`
	Clock     string      `json:"clock"`
	Seed      uint64      `json:"seed"`
	KeyIDs    []string    `json:"key_ids"` // hashes of the keys of the probes' tokens, by run and loop
	Runs      int         `json:"runs"`    // this one, and those that it went on from
	ActiveNS  int64       `json:"active_ns"`
	Resent    uint64      `json:"resent_total"` // probes that were in flight where a run ended, and sent again
	Contact   string      `json:"probe_contact"`
	Outputs   []string    `json:"outputs"`
	OSName    string      `json:"os"`
	Arch      string      `json:"architecture"`
	CPU       string      `json:"cpu"`
	Memory    uint64      `json:"memory_bytes"`
	Shard     uint64      `json:"shard"`
	Shards    uint64      `json:"shards"`
	Mode      string      `json:"mode"`
	Method    string      `json:"method"`
	TCPFlags  []string    `json:"tcp_flags"`
	FirstTTL  uint8       `json:"first_ttl"`
	MaxTTL    uint8       `json:"max_ttl"`
	Flows     int         `json:"flows"`
	TimeoutNS int64       `json:"timeout_ns"`
	Targets   uint64      `json:"targets"`
	NextHops  []nextHop   `json:"next_hops"`
	LeftOut   []leftOut   `json:"left_out"`
	Start     string      `json:"start"`
	End       string      `json:"end"`
	Complete  bool        `json:"complete"`
	Reason    string      `json:"stop_reason"` // empty for a complete run
	Exit      int         `json:"exit_code"`
	AskedPPS  float64     `json:"rate_asked_pps"`
	RatePPS   float64     `json:"rate_average_pps"`
	Progress  report      `json:"result"`
	Counts    counts      `json:"counts"`
	Frames    frameCounts `json:"frames"`
	NoRoom    uint64      `json:"sender_no_room_total"` // calls that the kernel had no room for; repeated later
	Ring      ringCounts  `json:"ring"`                 // of this run, as the next four
	Handovers handovers   `json:"handed_over"`
	PaceError float64     `json:"pacing_error"` // average rate over the rate asked for, less 1; 0 without one
	Loops     int         `json:"loops"`
	KeptOut   uint64      `json:"kernel_kept_out_total"` // replies that the kernel's IP stack did not see
	Known     uint64      `json:"hops_known"`            // mode adaptive: those at which it need not go farther back, each once a TTL and flow
	KnownSize uint64      `json:"hops_known_bytes"`      // memory that they take
}

// writeMetadata writes it, if asked for.
func (r *run) writeMetadata(code int) error {
	if r.o.metadata == "" {
		return nil
	}
	run := &r.record
	tx, _ := r.net.sends()
	progress, _ := r.status.report()
	m := metadata{
		Schema: metadataSchema, Program: run.Program, Version: run.Version, Go: runtime.Version(), Args: r.args, Host: run.Host,
		CPUs: runtime.NumCPU(), Kernel: kernel(), Interface: run.Interface, Sender: tx.String(), Source4: addr(r.net, 0), Source6: addr(r.net, 1),
		Clock: "monotonic from start; receive times are the kernel's", Seed: run.Seed, KeyIDs: slices.Concat(r.before.KeyIDs, r.keyIDs), Runs: r.before.Runs + 1, ActiveNS: int64(r.active(r.end.At)),
		Resent: r.before.Resent, Contact: r.o.contact, OSName: runtime.GOOS, Arch: runtime.GOARCH, CPU: hostFact("/proc/cpuinfo", "model name"),
		Memory: memory(), Shard: r.o.shard, Shards: r.o.shards,
		Mode: run.Mode, Method: run.Method.String(), FirstTTL: run.First, MaxTTL: run.Max, Flows: run.Flows, TimeoutNS: run.Timeout.Nanoseconds(),
		Targets: r.targets.Len(), NextHops: r.net.nextHops(), LeftOut: r.leftOut(), Start: run.Start.UTC().Format(time.RFC3339Nano), End: run.Start.Add(r.end.At).UTC().Format(time.RFC3339Nano),
		Complete: r.end.Complete, Exit: code, AskedPPS: run.Rate, RatePPS: r.sending().rate(),
		Progress: progress, Counts: countsOf(&r.end.Counts), Frames: frameCounts(r.frames), NoRoom: r.net.unsent(), Ring: ringCounts(r.net.ringStats()), Handovers: handovers(r.engines.Handovers()), Loops: r.o.loops, KeptOut: r.net.keptOut(),
	}
	for _, w := range r.loops {
		if a, ok := w.surveyor.(adaptive); ok {
			m.Known += uint64(a.Known())
			m.KnownSize += uint64(a.KnownBytes())
		}
	}
	for _, t := range r.o.outputs {
		m.Outputs = append(m.Outputs, t.Kind.Name+":"+t.Path)
	}
	if run.Rate > 0 && m.RatePPS > 0 {
		m.PaceError = m.RatePPS/run.Rate - 1
	}
	if r.why != nil {
		m.Reason = r.why.Error()
	}
	switch run.TCPFlags {
	case frame.FlagSYN:
		m.TCPFlags = []string{"syn"}
	case frame.FlagACK:
		m.TCPFlags = []string{"ack"}
	}
	b, err := json.MarshalIndent(&m, "", "  ")
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if err := os.WriteFile(r.o.metadata, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	return nil
}

// hostFact is the value of the first line of a file of /proc that begins with a
// name.
func hostFact(file, name string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// memory is how many bytes this host has.
func memory() uint64 {
	n, _ := strconv.ParseUint(strings.TrimSuffix(hostFact("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	return n << 10
}

// kernel is the release of the running one.
func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}

// addr is the source of a family, empty without one.
func addr(n *network, f int) string {
	if a := n.src(f); a.IsValid() {
		return a.String()
	}
	return ""
}
