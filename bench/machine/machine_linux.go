// Package machine tells the facts about this machine that figures depend on.
package machine

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Facts are what a reader needs to know about where figures come from. What
// cannot be read is empty or 0.
type Facts struct {
	CPU         string     // model name
	CPUs        int        // that this process may use
	Kernel      string     // release and version
	Go          string     // version, target and GOAMD64 or the like
	Load        [3]float64 // averages over 1, 5 and 15 minutes
	Preempt     string     // kernel's preemption model, as its version tells it
	BPFJIT      bool       // programs are compiled: net.core.bpf_jit_enable
	Backlog     int        // net.core.netdev_max_backlog, in frames
	Mitigations string     // for spectre_v2: they set the price of a system call
}

// Read reads the facts as they are now.
func Read() Facts {
	f := Facts{
		CPU: cpuModel(), CPUs: runtime.NumCPU(), Go: goVersion(), Load: load(),
		BPFJIT:      line("/proc/sys/net/core/bpf_jit_enable") != "0",
		Mitigations: line("/sys/devices/system/cpu/vulnerabilities/spectre_v2"),
	}
	f.Backlog, _ = strconv.Atoi(line("/proc/sys/net/core/netdev_max_backlog"))
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		f.Kernel = unix.ByteSliceToString(name.Release[:])
		f.Preempt = preemption(unix.ByteSliceToString(name.Version[:]))
	}
	return f
}

// line reads a file of one line.
func line(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// cpuModel finds the model in proc_cpuinfo(5), which names it differently on
// different architectures.
func cpuModel() string {
	info := line("/proc/cpuinfo")
	for text := range strings.Lines(info) {
		key, value, _ := strings.Cut(text, ":")
		switch strings.TrimSpace(key) {
		case "model name", "Model", "cpu model":
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func preemption(version string) string {
	for word := range strings.FieldsSeq(version) {
		if strings.HasPrefix(word, "PREEMPT") {
			return word
		}
	}
	return "none"
}

func load() (averages [3]float64) {
	for i, field := range strings.Fields(line("/proc/loadavg")) {
		if i == len(averages) {
			break
		}
		averages[i], _ = strconv.ParseFloat(field, 64)
	}
	return averages
}

func goVersion() string {
	v := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "GOAMD64" || s.Key == "GOARM64" {
			v += " " + s.Value
		}
	}
	return v
}
