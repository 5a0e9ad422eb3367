package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// openFiles lists what the process's descriptors stand for.
func openFiles(t *testing.T) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range links {
		if name, err := os.Readlink(l); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// eventually waits until f holds: threads and processes that were told to end
// are gone a little later.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// holders lists threads of any process that are in a network namespace, and
// descriptors that hold it. Namespaces are told by their link text net:[inode].
func holders(ns string) []string {
	var found []string
	for _, pattern := range []string{"/proc/[0-9]*/task/*/ns/net", "/proc/[0-9]*/fd/*"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if name, err := os.Readlink(f); err == nil && name == ns {
				found = append(found, f)
			}
		}
	}
	return found
}

// pinned is a namespace that the test holds itself, since the number of one
// that is gone may soon name another.
type pinned struct {
	name string // net:[inode]
	path string // of the test's own descriptor, as holders lists it
}

// pin opens a namespace until the test ends.
func pin(t *testing.T, path string) pinned {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	own := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
	name, err := os.Readlink(own)
	if err != nil {
		t.Fatal(err)
	}
	return pinned{name, own}
}

// free tells whether nothing but the pin holds the namespace.
func (p pinned) free() bool { return slices.Equal(holders(p.name), []string{p.path}) }

func TestCloseLeavesNothing(t *testing.T) {
	Skip(t)
	// The runtime opens its poller with the first network: not a leak.
	if n, err := Open("pair"); err != nil {
		t.Fatal(err)
	} else if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	before := openFiles(t)

	n, err := Open("line")
	if err != nil {
		t.Fatal(err)
	}
	var namespaces []pinned
	for _, h := range []string{"h1", "r1", "r2", "h2"} {
		ns := pin(t, n.Host(h).Path())
		for _, other := range namespaces {
			if ns.name == other.name {
				t.Errorf("%s shares its namespace %s", h, ns.name)
			}
		}
		namespaces = append(namespaces, ns)
		before = append(before, ns.name)
	}
	slices.Sort(before)
	if err := exchange(n.Host("h1"), n.Host("h2"), "192.168.120.20"); err != nil {
		t.Error(err)
	}
	child := helperCommand("block")
	if err := n.Host("r2").Start(child); err != nil {
		t.Fatal(err)
	}
	// This one leaves a program behind, in the namespace and without a parent.
	orphan := exec.Command("/bin/sh", "-c", "sleep 1000 >/dev/null 2>&1 &")
	if err := n.Host("h2").Start(orphan); err != nil {
		t.Fatal(err)
	}
	if err := orphan.Wait(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	child.Wait()
	if s := child.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != unix.SIGKILL {
		t.Errorf("Close left the child to end by itself: %v", child.ProcessState)
	}

	eventually(t, "no more files than before", func() bool { return slices.Equal(before, openFiles(t)) })
	for _, ns := range namespaces {
		eventually(t, "nothing else holds "+ns.name, ns.free)
	}
	goleak.VerifyNone(t)

	if err := n.Host("h1").Do(func() error { return nil }); err == nil {
		t.Error("Do works after Close")
	}
	if err := n.Host("h1").Start(helperCommand("block")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Start after Close: %v, want %v", err, os.ErrClosed)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	Skip(t)
	if n, err := Open("pair"); err == nil {
		n.Close()
	}
	before := openFiles(t)
	plan, _ := Find("pair")
	plan.Hosts = append([]HostPlan(nil), plan.Hosts...)
	plan.Hosts[1].Routes = []Route{{}}
	if n, err := Build(plan); err == nil {
		n.Close()
		t.Fatal("a route to nowhere was built")
	}
	eventually(t, "no more files than before", func() bool { return slices.Equal(before, openFiles(t)) })
	goleak.VerifyNone(t)
}

func TestDo(t *testing.T) {
	n := open(t, "pair")
	h1 := n.Host("h1")
	here := func() string {
		ns, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			t.Error(err)
		}
		return ns
	}
	outside := here()
	wrong := errors.New("as it should")
	var inside string
	if err := h1.Do(func() error { inside = here(); return wrong }); err != wrong {
		t.Errorf("Do gives %v, want the function's own error", err)
	}
	if host := pin(t, h1.Path()).name; inside != host || inside == outside {
		t.Errorf("Do ran in %s; the host is %s, the outside %s", inside, host, outside)
	}
	for range 50 {
		if ns := here(); ns != outside {
			t.Fatalf("after Do a thread is in %s, not %s", ns, outside)
		}
	}
	// What t.Fatal does to a goroutine reaches the caller of Do.
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- !returned }()
		h1.Do(func() error { runtime.Goexit(); return nil })
		returned = true
	}()
	if !<-ended {
		t.Error("Do returned although its function ended the goroutine")
	}
}

func TestMainThreadStaysOutside(t *testing.T) {
	n := open(t, "pair")
	// So many wait inside at the same time that the runtime needs every thread
	// it has, and would give them the main one too.
	const many = 64
	var arrived, ended sync.WaitGroup
	leave := make(chan struct{})
	arrived.Add(many)
	for range many {
		ended.Go(func() {
			here := sync.OnceFunc(arrived.Done)
			defer here()
			err := n.Host("h1").Do(func() error {
				here()
				<-leave
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	arrived.Wait()
	now, err := os.Readlink(mainThread)
	close(leave)
	ended.Wait()
	if err != nil || now != origin {
		t.Errorf("the main thread went to %s, %v, from %s", now, err, origin)
	}
}

func TestStart(t *testing.T) {
	n := open(t, "pair")
	h2 := n.Host("h2")
	for _, tt := range []struct {
		mode string
		want int
	}{{"status 0", 0}, {"status 7", 7}, {"raise SIGTERM", 128 + int(unix.SIGTERM)}} {
		cmd := helperCommand(tt.mode)
		if err := h2.Start(cmd); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if got := ExitStatus(cmd.ProcessState); got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.mode, got, tt.want)
		}
	}

	var out strings.Builder
	cmd := helperCommand("namespace")
	cmd.Stdout = &out
	attr := &syscall.SysProcAttr{Setpgid: true}
	cmd.SysProcAttr = attr
	if err := h2.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), pin(t, h2.Path()).name; got != want {
		t.Errorf("the program ran in %s, want %s", got, want)
	}
	if attr.Pdeathsig != 0 {
		t.Error("Start wrote into the caller's SysProcAttr")
	}

	if err := h2.Start(exec.Command("/nonesuch/program")); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a program that is not there: %v, want %v", err, unix.ENOENT)
	}
}
