package lab

import (
	"os"
	"os/signal"
	"syscall"
)

// Forbidden is why this process may not build networks, nil if it may.
// RunTests sets it.
var Forbidden error

// RunTests runs a package's tests where they may build networks, for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }
//
// Where the kernel forbids it the tests run all the same, and those that call
// Skip are skipped.
func RunTests(m interface{ Run() int }) int {
	heedSignals()
	Forbidden = Reexec()
	return m.Run()
}

// heedSignals has programs that are started from here on heed the signals that
// this process was started to ignore, as nohup(1) and a shell's "&" do: tests
// end programs by them. What is caught is not ignored by children, execve(2).
func heedSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// Skip skips a test that needs a network when Forbidden is set, and says why.
func Skip(t interface {
	Helper()
	Skip(args ...any)
}) {
	t.Helper()
	if Forbidden != nil {
		t.Skip(Forbidden)
	}
}
