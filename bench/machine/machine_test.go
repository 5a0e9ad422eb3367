package machine

import (
	"runtime"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	f := Read()
	if f.CPU == "" || f.Kernel == "" || f.CPUs < 1 || f.Backlog < 1 {
		t.Errorf("facts are missing: %+v", f)
	}
	if !strings.HasPrefix(f.Go, runtime.Version()) || !strings.Contains(f.Go, runtime.GOARCH) {
		t.Errorf("Go version %q", f.Go)
	}
}

func TestPreemption(t *testing.T) {
	for version, want := range map[string]string{
		"#1 SMP PREEMPT_DYNAMIC Debian 6.1.1-1": "PREEMPT_DYNAMIC",
		"#12~22.04.1-Ubuntu SMP":                "none",
	} {
		if got := preemption(version); got != want {
			t.Errorf("preemption(%q) = %q, want %q", version, got, want)
		}
	}
}
