package labcmd

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWorldMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"--silent 5":                             "--silent is for --internet",
		"--truth 20.0.0.1":                       "--truth is for --internet",
		"--internet -t line":                     "--topology, --script and --internet exclude each other",
		"--internet=x":                           `--internet "x": must be a number`,
		"--internet=-1":                          `--internet "-1": must be a number`,
		"--internet --hops 9-3":                  `--hops "9-3": must be MIN-MAX or a number, within 1..64`,
		"--internet --hops 0":                    `--hops "0": must be`,
		"--internet --hops 5-":                   `--hops "5-": must be`,
		"--internet --hops 5-65":                 `--hops "5-65": must be`,
		"--internet --loops 60 --unreachable 50": "--unreachable 50: allowed are 0 to 40 beside --loops 60\n",
		"--internet --open 80,x":                 `--open "80,x": "x" is no port`,
		"--internet --open 65536":                `"65536" is no port`,
		"--internet --open 0":                    `"0" is no port`,
		"--internet --limit-every 0":             "--limit-every 0s: want more than that\n",
		"--internet --limit-burst 0":             "--limit-burst 0: want more than that\n",
		"--internet --services x":                `--services "x": want a whole number`,
		"--internet --open 1,2,3,4,5,6,7,8,9":    "--open 1,2,3,4,5,6,7,8,9: allowed are 0 to 8 ports\n",
		"--internet --late 6 --duplicates 95":    "--late 6: allowed are 0 to 5 beside --duplicates 95\n",
		"--internet --cpus 65":                   "--cpus 65: must be 0 to 64",
		"--internet --late-by 2h":                "--late-by 2h0m0s: allowed are 1µs to 1h0m0s\n",
		"--internet -i h2":                       `network internet has no host "h2"; it has h1, sim`,
		"--internet --truth":                     "--truth needs targets",
		"--internet --truth 20.0.0.0/33":         "20.0.0.0/33",
	} {
		status, out, errs := callLab(strings.Fields(args))
		if status != 2 || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, output %q, errors %q; want 2, none, %q", args, status, out, errs, want)
		}
	}
}

// A value out of range is told with the option as it was typed.
func TestWorldRanges(t *testing.T) {
	for name, field := range map[string]string{"limit-every": "25h", "late-by": "2h"} {
		status, _, errs := callLab([]string{"--internet", "--" + name, field})
		if status != 2 || !strings.HasPrefix(errs, "hopquote lab: --"+name+" ") {
			t.Errorf("--%s %s: status %d, errors %q", name, field, status, errs)
		}
	}
	for _, name := range []string{
		"shared", "silent", "silent-hosts", "guarded", "services", "diamonds", "loops", "unreachable", "limited", "limit-burst", "duplicates", "late", "cpus", "backlog",
	} {
		for _, value := range []string{"-1", "2000000000"} {
			status, _, errs := callLab([]string{"--internet", "--" + name, value})
			if status != 2 || !strings.HasPrefix(errs, "hopquote lab: --"+name+" "+value+": ") {
				t.Errorf("--%s %s: status %d, errors %q", name, value, status, errs)
			}
		}
	}
}

// TestWorld asks one target in each form: it refuses the connection.
func TestWorld(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--internet=7"}, []string{"seed 7, form: ", "16 to 24 hops away.", "probes: 1 asked = 1 answered + 0 silent + 0 limited\n", "  udp: 1 asked"}},
		{[]string{"--internet", "--user-space", "--hops", "3"}, []string{"seed 1, form: user space.", "target, 3 hops away.", "1 asked = 1 answered"}},
		{[]string{"--internet", "--duplicates", "100"}, []string{"of the answers 1 came twice, 0 late"}},
	} {
		args := slices.Concat([]string{"lab"}, tt.args, []string{"--", "SELF", "ask", "20.0.0.1"})
		cmd := hopquote(t, "quick", args...)
		for i, a := range cmd.Args {
			if a == "SELF" {
				cmd.Args[i] = filepath.Base(cmd.Path)
			}
		}
		got := finish(t, cmd)
		if got.status != 0 || got.out != "connection refused\n" {
			t.Errorf("%q: status %d, output %q, errors %q", tt.args, got.status, got.out, got.errors)
		}
		for _, want := range tt.want {
			if !strings.Contains(got.errors, want) {
				t.Errorf("%q does not say %q:\n%s", tt.args, want, got.errors)
			}
		}
	}
}

// TestWorldOfOrdinaryUser has nobody who may load eBPF: the form is user space.
func TestWorldOfOrdinaryUser(t *testing.T) {
	cmd := hopquote(t, "quick", "lab", "--internet", "--silent-hosts", "40", "true")
	asOrdinaryUser(t, cmd)
	got := finish(t, cmd)
	if got.status != 0 || !strings.Contains(got.errors, "form: user space (internet: load the program: needs CAP_BPF") ||
		!strings.Contains(got.errors, "; 40 % of them do not answer.") {
		t.Errorf("status %d: %s", got.status, got.errors)
	}
}

func TestTruth(t *testing.T) {
	status, out, errs := callLab(strings.Fields("--internet=7 --hops 6 --truth 20.0.0.0/30 2001:db8::1"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || errs != "" || len(lines) != 6 {
		t.Fatalf("status %d, %d lines, errors %q", status, len(lines), errs)
	}
	for i, want := range []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3", "2001:db8::1"} {
		var path struct {
			Target string
			Hops   []any
		}
		if err := json.Unmarshal([]byte(lines[i+1]), &path); err != nil || path.Target != want || len(path.Hops) != 6 {
			t.Errorf("%v: %s, want %s and 6 hops", err, lines[i+1], want)
		}
	}
}
