package benchcmd

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// Every mode writes all that it was sent and finds all that there is, and
// nothing that is not there, where all answer and where they do not.
func TestSurvey(t *testing.T) {
	const targets, hops = 96, 16
	lab.Skip(t)
	modes := []string{"survey random", "survey full", "survey adaptive", "survey random, checkpoints", "survey full, checkpoints", "survey adaptive, checkpoints"}
	program := hopquote(t, "survey")
	for _, kind := range []string{"replies", "jsonl"} {
		args := append(quickly("survey"), "--inline", "--hopquote", program, "--targets", "96", "--kind", kind, "--rate", "20000,0")
		for _, m := range modes {
			args = append(args, "--only", m)
		}
		interfaces, reached := targets, targets/4
		if kind == "jsonl" {
			args = append(args, "--dense")
			interfaces, reached = 2, 0 // one prefix, and its paths may loop
		}
		d := run(t, 0, append(args, "--only", "bare loop, packet")...)
		for _, asked := range []string{"20000", "max"} {
			bare := d.row(t, "survey", "bare loop, packet", asked)
			if bare("ratio") != 1 || bare("records") != targets*hops {
				t.Errorf("the bare loop at %s: ratio to itself %v, %v matched", asked, bare("ratio"), bare("records"))
			}
			for _, m := range modes {
				row, found := d.row(t, "survey", m, asked), d.row(t, "survey-found", m, asked)
				probes := row("probes")
				if isAdaptive := strings.HasPrefix(m, "survey adaptive"); isAdaptive == (probes == targets*hops) || probes < targets {
					t.Errorf("%s, %s at %s: %v probes", kind, m, asked, probes)
				}
				if row("records") != probes || row("answered") != probes || row("complete_percent") != 100 || row("ring_drops") != 0 {
					t.Errorf("%s, %s at %s: %v probes, %v answered, %v written", kind, m, asked, probes, row("answered"), row("records"))
				}
				if row("rate_pps") <= 0 || row("ratio") <= 0 || row("cpu_s_per_million") <= 0 || row("peak_mib") <= 0 || row("wall_s") <= 0 {
					t.Errorf("%s, %s at %s: a figure is not there", kind, m, asked)
				}
				if found("wrong") != 0 || found("interfaces_missed") != 0 || found("targets_reached") != targets || found("targets_missed") != 0 {
					t.Errorf("%s, %s at %s: %v wrong, %v and %v missed", kind, m, asked, found("wrong"), found("interfaces_missed"), found("targets_missed"))
				}
				if n := found("interfaces_found"); n < hops-1 || found("probes_per_interface") != probes/n {
					t.Errorf("%s, %s at %s: %v interfaces by %v probes each", kind, m, asked, n, found("probes_per_interface"))
				}
			}
		}
		for _, m := range modes[:3] {
			row := d.row(t, "survey-rough", m, "max")
			if row("wrong") != 0 || row("interfaces_found") < float64(interfaces) || row("targets_reached") < float64(reached) || row("complete_percent") != 100 {
				t.Errorf("%s, %s on rough ground: %v wrong, %v found, %v reached, %v %% written", kind, m,
					row("wrong"), row("interfaces_found"), row("targets_reached"), row("complete_percent"))
			}
			if isAdaptive := m == "survey adaptive"; !isAdaptive && row("interfaces_missed")+row("targets_missed") != 0 {
				t.Errorf("%s, %s on rough ground: %v and %v missed", kind, m, row("interfaces_missed"), row("targets_missed"))
			}
		}
	}
}

// Scamper is measured where it is installed, and named where it is not.
func TestSurveyScamper(t *testing.T) {
	lab.Skip(t)
	args := append(quickly("survey"), "--inline", "--targets", "8", "--only", "scamper")
	cmd := command(t, append(args, "--format=json")...)
	cmd.Env = append(cmd.Env, "PATH=")
	d := read(t, finish(t, cmd), 0)
	if s := d.Tables[0].Rows[0].Skipped; s == nil || !strings.Contains(*s, "apt-get install scamper") {
		t.Error("without a PATH, scamper is not left out with the reason")
	}
	if _, err := exec.LookPath("scamper"); err != nil {
		t.Skip("needs scamper: ", err)
	}
	d = run(t, 0, args...)
	row, found := d.row(t, "survey", "scamper", "max"), d.row(t, "survey-found", "scamper", "max")
	if row("probes") != 8*16 || row("records") != 8*16 || row("scamper_ratio") != 1 {
		t.Errorf("%v probes, %v written, ratio to itself %v", row("probes"), row("records"), row("scamper_ratio"))
	}
	if found("wrong") != 0 || found("interfaces_missed") != 0 || found("targets_reached") != 8 {
		t.Errorf("%v wrong, %v missed, %v reached", found("wrong"), found("interfaces_missed"), found("targets_reached"))
	}
	if n := d.row(t, "survey-rough", "scamper", "max")("wrong"); n != 0 {
		t.Errorf("on rough ground %v are wrong", n)
	}
}
