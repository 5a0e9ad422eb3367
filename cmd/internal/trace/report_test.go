package trace

import (
	"bytes"
	"errors"
	"fmt"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"strings"
	"syscall"
	"testing"

	"github.com/hopquote/hopquote/frame/link"
)

func TestReport(t *testing.T) {
	network := &link.OpError{Op: "connect", Err: syscall.ENETUNREACH}
	full := errors.New("capture: write out: no space left on device")
	tests := []struct {
		name         string
		err, capture error
		format       string
		stderr       string
		code         int
	}{
		{name: "done"},
		{name: "network", err: network, stderr: "\nconnect: Network is unreachable\n", code: 1},
		{name: "network, JSON", err: network, format: "json", stderr: "connect: Network is unreachable\n", code: 1},
		{name: "output", err: outputError(syscall.EPIPE), stderr: "write standard output: Broken pipe\n", code: 1},
		{name: "signal", err: signalled{syscall.SIGINT}, code: 130},
		{name: "capture", capture: full, stderr: full.Error() + "\n", code: 1},
		{name: "network and capture", err: network, capture: full, stderr: "\nconnect: Network is unreachable\n" + full.Error() + "\n", code: 1},
		{name: "signal and capture", err: signalled{syscall.SIGTERM}, capture: full, stderr: full.Error() + "\n", code: 143},
		{name: "network and output", err: network, capture: outputError(syscall.ENOSPC), format: "json",
			stderr: "connect: Network is unreachable\nwrite standard output: No space left on device\n", code: 1},
		{
			name: "not permitted", err: fmt.Errorf("open receive ring: %w", syscall.EPERM), format: "json",
			stderr: "open receive ring: operation not permitted\n" + privilege.Advice() + "\n", code: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			format := tt.format
			if format == "" {
				format = "text"
			}
			opts, argv := parse(t, "-n", "--format="+format, "10.2.2.2")
			var stderr bytes.Buffer
			r, err := newRun(opts, argv, Std{Err: &stderr})
			if err != nil {
				t.Fatal(err)
			}
			if code := r.report(tt.err, nil, tt.capture); code != tt.code || stderr.String() != tt.stderr {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr.String(), tt.code, tt.stderr)
			}
		})
	}
}

func TestNameFileLimit(t *testing.T) {
	for _, err := range []error{nil, syscall.EPERM, errors.New("x"), fmt.Errorf("%w: at most 3 (RLIMIT_NOFILE)", syscall.EMFILE)} {
		if got := nameFileLimit(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	got := nameFileLimit(&link.OpError{Op: "socket", Err: syscall.EMFILE})
	if !errors.Is(got, syscall.EMFILE) || !strings.HasPrefix(got.Error(), "socket: Too many open files: the limit is ") {
		t.Errorf("%v", got)
	}
}
