package benchcmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// A mistake in the command line is one line, a hint, and exit status 2.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "what to measure is missing: frames, decode, tx, rx, loop, trace, peers, survey or all"},
		{[]string{"speed"}, `unknown "speed", there are frames, decode, tx, rx, loop, trace, peers, survey and all`},
		{[]string{"frames", "--rounds", "0"}, "--rounds 0, want 1..1000"},
		{[]string{"frames", "--rounds", "x"}, `--rounds "x": want a whole number`},
		{[]string{"frames", "--time", "0s"}, "--time 0s, want more than 0 and up to 1m0s"},
		{[]string{"frames", "--time", "2m"}, "--time 2m0s, want more than 0"},
		{[]string{"frames", "--format", "xml"}, `--format "xml", want table, json or markdown`},
		{[]string{"loop", "--rate", "-1"}, "--rate -1, want 0 or 1..100000000"},
		{[]string{"loop", "--rate", "0.5"}, "--rate 0.5, want"},
		{[]string{"loop", "--rate", "NaN"}, "--rate NaN, want"},
		{[]string{"trace", "--traces", "0"}, "--traces 0, want 1..100000"},
		{[]string{"survey", "--targets", "0"}, "--targets 0, want 1..4194304"},
		{[]string{"survey", "--targets", "4194305"}, "--targets 4194305, want 1..4194304"},
		{[]string{"survey", "--shared", "65"}, "--shared 65, want 0..64"},
		{[]string{"survey", "--kind", "warts"}, `--kind "warts", want replies or jsonl`},
		{[]string{"peers", "--peer", "x"}, `peer "x", want NAME=COMMAND`},
		{[]string{"frames", "--plot", "x.svg"}, "--plot: frames has nothing to plot, but rx, loop, peers and survey have"},
		{[]string{"survey", "--hopquote", "/nowhere/hopquote"}, `--hopquote "/nowhere/hopquote": not there: `},
		{[]string{"survey", "--plot", "/nowhere/x.svg"}, `--plot "/nowhere/x.svg": stat /nowhere: no such file or directory`},
		{[]string{"loop", "--inline", "--user-space"}, "--inline and --user-space exclude each other"},
		{[]string{"loop", "--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"bare", "--sender", "dove"}, `unknown sender "dove"`},
		{[]string{"bare"}, "unable to parse IP"},
		{[]string{"bare", "--target", "20.0.0.0", "--hops", "0"}, "0 hops, want 1..255"},
	} {
		r := finish(t, command(t, c.args...))
		first, _, _ := strings.Cut(r.errors, "\n")
		if r.status != 2 || !strings.HasPrefix(first, "hopquote bench") || !strings.Contains(first, c.want) || r.out != "" {
			t.Errorf("%q: exit status %d, %q, output %q; want 2 and %q", c.args, r.status, r.errors, r.out, c.want)
		}
	}
}

func TestHelp(t *testing.T) {
	r := finish(t, command(t, "--help"))
	for _, s := range append(suiteNames, "all", "--rounds", "--time", "--format", "--plot", "--cpuprofile", "--trace", "--peer", "--rate", "--seed", "--targets", "--dense", "--shared", "--kind", "{output}") {
		if !strings.Contains(r.out, s) {
			t.Errorf("the help does not tell of %s", s)
		}
	}
	if r.status != 0 || r.errors != "" {
		t.Errorf("exit status %d, %q", r.status, r.errors)
	}
}

// asNobody makes cmd run as an ordinary user, from a file that this user can
// reach.
func asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to become an ordinary user")
	}
	dir, err := os.MkdirTemp("", "benchcmd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hopquote-bench")
	if err := os.WriteFile(file, content, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = file, "/"
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
}

// Where no namespaces may be made it says so in one line.
func TestNoPermission(t *testing.T) {
	cmd := command(t, "tx", "--rounds", "1", "--time", "1ms")
	asNobody(t, cmd)
	cmd.Env = append(cmd.Env, "HOPQUOTE_LAB_USERNS=") // as if the user namespace had been tried
	r := finish(t, cmd)
	if r.status != 1 || !strings.HasPrefix(r.errors, "hopquote bench: ") || strings.Count(r.errors, "\n") != 1 || r.out != "" {
		t.Errorf("exit status %d, %q, output %q; want 1 and one line", r.status, r.errors, r.out)
	}
	if !strings.Contains(r.errors, "namespace") {
		t.Errorf("%q does not tell what is missing", r.errors)
	}
}

// A row that there is none of is told, with those that there are, before
// anything is measured.
func TestNoSuchRow(t *testing.T) {
	for suite, want := range map[string]string{
		"frames": `["udp" `, "decode": `["`, "tx": `["packet" `, "rx": `["`, "loop": `["bare loop, packet" `, "trace": `["traceroute" `, "peers": `["hopquote survey" `,
		"survey": `["bare loop, packet" "scamper" "survey random" `, "all": `["udp" `,
	} {
		cmd := command(t, append(quickly(suite), "--only", "upd")...)
		cmd.Env = append(cmd.Env, "HOPQUOTE_LAB_USERNS=") // who would build a network is told that it can't
		asNobody(t, cmd)
		r := finish(t, cmd)
		if r.status != 2 || !strings.HasPrefix(r.errors, `hopquote bench: --only "upd": there is no such row, only `+want) || r.out != "" {
			t.Errorf("%s: exit status %d, %q, output %q", suite, r.status, r.errors, r.out)
		}
	}
}

// In a network namespace without a backlog of its own the CPU that sends
// answers, and the report says so.
func TestNoBacklog(t *testing.T) {
	lab.Skip(t)
	if runtime.NumCPU() < 2 {
		t.Skip("needs a second CPU, to answer")
	}
	args := append(quickly("loop"), "--rate", "10000", "--only", "bare loop, packet", "--format", "json")
	cmd := command(t, args...)
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET
	d := read(t, finish(t, cmd), 0)
	in := d.Internet
	if in == nil || in.CPUs != 0 || in.Inline == nil || !strings.Contains(*in.Inline, "netdev_max_backlog") {
		t.Errorf("simulated Internet %+v, want one answered by the CPU that sends, and why", in)
	}
	if row := d.row(t, "loop", "bare loop, packet", "10000"); row("answered") == 0 || row("records") != row("answered") {
		t.Errorf("%v answered, %v matched", row("answered"), row("records"))
	}
}

// An ordinary user gets the Internet simulated in user space, and is told.
func TestOrdinaryUser(t *testing.T) {
	cmd := command(t, "loop", "--rounds", "1", "--time", "20ms", "--rate", "10000", "--only", "bare loop, packet", "--format", "json")
	asNobody(t, cmd)
	d := read(t, finish(t, cmd), 0)
	if d.Internet == nil || d.Internet.Form != "user space" || d.Internet.Reason == nil {
		t.Errorf("simulated Internet %+v, want one in user space and why", d.Internet)
	}
	row := d.row(t, "loop", "bare loop, packet", "10000")
	if row("answered") == 0 || row("records") != row("answered") {
		t.Errorf("%v answered, %v matched", row("answered"), row("records"))
	}
}
