package ground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/usage"
)

// Program is something to run on the ground.
type Program struct {
	Command string   // for a shell
	Args    []string // without a shell; Command is not looked at
	Stdout  string   // file for its output
	Limit   time.Duration
	Memory  bool // also measure how much memory it takes
	Knock   bool // also send it a frame now and then, see knock
}

// Result is how a program fared.
type Result struct {
	Wall     time.Duration // from the start to the end
	Output   time.Duration // from the start to the last byte of output; 0 without any
	CPU      time.Duration // user and system, of the program and those that it started
	Peak     int64         // bytes of resident set; 0 if not measured
	Code     int           // exit status, as a shell gives it
	TimedOut bool          // it was ended at the limit
	Stderr   string        // the last of it, in one line
}

const (
	endGrace   = 2 * time.Second // from SIGTERM to SIGKILL
	memoryTick = 10 * time.Millisecond
	maxStderr  = 4 << 10
)

// Run runs the program to its end, or to its limit, or ctx's. It and what it
// started are one process group, which is ended by its number.
func (g *Ground) Run(ctx context.Context, p Program) (r Result, err error) {
	out, err := os.Create(p.Stdout)
	if err != nil {
		return r, err
	}
	defer out.Close()
	args := p.Args
	if len(args) == 0 {
		args = []string{"/bin/sh", "-c", shellCommand(p.Command)}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = g.Dir
	var stderr tail
	clock := &stamper{w: out}
	cmd.Stdout, cmd.Stderr = clock, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = endGrace
	if p.Knock {
		stop, err := g.knock()
		if err != nil {
			return r, err
		}
		defer stop()
	}
	start := time.Now()
	if err := g.Host(internet.Prober).Start(cmd); err != nil {
		return r, err
	}
	stop := make(chan struct{})
	var side sync.WaitGroup
	side.Go(func() { r.TimedOut = endAtLimit(ctx, cmd.Process.Pid, p.Limit, stop) })
	if p.Memory {
		side.Go(func() { r.Peak = peak(cmd.Process.Pid, stop) })
	}
	err = cmd.Wait()
	r.Wall = time.Since(start)
	close(stop)
	side.Wait()
	if cmd.ProcessState == nil {
		return r, fmt.Errorf("run %q: %w", args, err)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		kill(cmd.Process.Pid, unix.SIGKILL) // what it left behind
	}
	if !clock.last.IsZero() {
		r.Output = clock.last.Sub(start)
	}
	r.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r.Code = lab.ExitStatus(cmd.ProcessState)
	r.Stderr = stderr.line()
	return r, nil
}

// shellCommand takes the shell out of the way where it has nothing more to do.
func shellCommand(c string) string {
	if strings.ContainsAny(c, "|;&\n(") {
		return c
	}
	return "exec " + c
}

// endAtLimit ends the process group when its time is over or ctx ends, and
// tells whether the former was the case.
func endAtLimit(ctx context.Context, group int, limit time.Duration, stop <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	timedOut := false
	select {
	case <-stop:
		return false
	case <-timer.C:
		timedOut = true
	case <-ctx.Done():
	}
	kill(group, unix.SIGTERM)
	select {
	case <-stop:
	case <-time.After(endGrace):
		kill(group, unix.SIGKILL)
	}
	return timedOut
}

// kill signals all of a process group.
func kill(group int, s unix.Signal) { _ = unix.Kill(-group, s) }

// peak watches the memory of a process until it ends.
func peak(pid int, stop <-chan struct{}) (bytes int64) {
	ticker := time.NewTicker(memoryTick)
	defer ticker.Stop()
	for {
		bytes = max(bytes, usage.Peak(pid))
		select {
		case <-stop:
			return bytes
		case <-ticker.C:
		}
	}
}

// stamper notes when the last was written.
type stamper struct {
	w    io.Writer
	last time.Time
}

func (s *stamper) Write(b []byte) (int, error) {
	s.last = time.Now()
	return s.w.Write(b)
}

// tail keeps the end of what is written.
type tail struct{ b []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	if len(t.b) > 2*maxStderr {
		t.b = append(t.b[:0], t.b[len(t.b)-maxStderr:]...)
	}
	return len(b), nil
}

// line is the last line that says something.
func (t *tail) line() string {
	lines := strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(lines[i]); s != "" {
			return s
		}
	}
	return ""
}

// File is a path in the ground's folder.
func (g *Ground) File(name string) string { return filepath.Join(g.Dir, name) }
