package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// helperCommand runs this test binary in a mode of helpers. /proc/self/exe
// can be run by any user, whatever folder the binary lies in.
func helperCommand(mode string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"lab.test"}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), modeVar+"="+mode)
	return cmd
}

// ownSession takes a child away from the terminal, if there is one: what
// signals do must not depend on it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
}

// helpers are the programs that this test binary can play; each gives its
// exit status.
var helpers = map[string]func() int{
	"status 0":      func() int { return 0 },
	"status 7":      func() int { return 7 },
	"block":         block,
	"raise SIGTERM": func() int { unix.Kill(os.Getpid(), unix.SIGTERM); return block() },
	"namespace":     printNamespace,
	"processors":    printProcessors,
	"trial":         trial,
	"hold":          hold,
	"relay":         relaySignals,
	"forbidding":    forbidding,
	"forbidden":     tryForbidden,
}

func block() int {
	time.Sleep(time.Hour)
	return 0
}

// printProcessors prints which processors the program may run on, as sysfs
// writes them.
func printProcessors() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return complain(err)
	}
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			fmt.Println(mask(cpu))
		}
	}
	return 0
}

func printNamespace() int {
	ns, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return complain(err)
	}
	fmt.Print(ns)
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 99
}

// trial does what a test does in a network, with Reexec before it.
func trial() int {
	if err := Reexec(); err != nil {
		return complain(err)
	}
	n, err := Open("line")
	if err != nil {
		return complain(err)
	}
	defer n.Close()
	err = exchange(n.Host("h1"), n.Host("h2"), "192.168.120.20")
	if n.HasIPv6() {
		err = errors.Join(err, exchange(n.Host("h2"), n.Host("h1"), "fd00:100::10"))
	}
	if err != nil {
		return complain(err)
	}
	again := tryNamespace()
	_, marked := os.LookupEnv(marker)
	fmt.Printf("uid %d reexecuted %t marker %t again %v", os.Getuid(), Reexecuted(), marked, again)
	return 42
}

// hold opens a network with a program in it, tells the program's pid and a
// namespace, and stays.
func hold() int {
	if err := Reexec(); err != nil {
		return complain(err)
	}
	n, err := Open("pair")
	if err != nil {
		return complain(err)
	}
	child := helperCommand("block")
	if err := n.Host("h2").Start(child); err != nil {
		return complain(err)
	}
	ns, err := os.Readlink(n.Host("h2").Path())
	if err != nil {
		return complain(err)
	}
	fmt.Println(child.Process.Pid, ns)
	return block()
}

// relaySignals runs a child under a Relay that kills soon after SIGHUP.
func relaySignals() int {
	relay := NewRelay(time.Millisecond, unix.SIGHUP)
	defer relay.Stop()
	child := exec.Command("/bin/sh", "-c", `trap "exit 5" TERM; trap "" HUP; echo ready; while :; do sleep 0.01; done`)
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		return complain(err)
	}
	relay.To(child.Process)
	child.Wait()
	fmt.Println("first", relay.Signal(), "killed", relay.Killed())
	return ExitStatus(child.ProcessState)
}

// forbidding makes a user namespace that allows no further ones, and runs
// "forbidden" in it without any capability.
func forbidding() int {
	if err := Reexec(); err != nil {
		return complain(err)
	}
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		return complain(err)
	}
	cmd := helperCommand("forbidden")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Run()
	return ExitStatus(cmd.ProcessState)
}

func tryForbidden() int {
	if err := cap.NewSet().SetProc(); err != nil {
		return complain(err)
	}
	err := Reexec()
	io.WriteString(os.Stdout, fmt.Sprint(err))
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EPERM) {
		return 1
	}
	return 0
}
