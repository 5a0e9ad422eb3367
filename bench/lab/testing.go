package lab

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
	Forbidden = Reexec()
	return m.Run()
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
