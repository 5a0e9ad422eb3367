package rx

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// rulesTable is the rules as the README shows them.
func rulesTable() string {
	var b strings.Builder
	b.WriteString("| rule | needs | secret bits | meaning |\n| --- | --- | --- | --- |\n")
	for i, r := range append(Rules(), AnswerRules()...) {
		bits := fmt.Sprint(r.Bits)
		if r.Bits == 0 {
			bits = "all"
		}
		if r.weak() {
			bits += ", may rest"
		}
		if r.Alone {
			bits += ", alone"
		}
		meaning := r.Meaning
		if i >= len(rules) {
			meaning = "direct answers: " + meaning
		}
		fmt.Fprintf(&b, "| `%s` | %v | %s | %s |\n", r.Name, r.Need, bits, meaning)
	}
	return b.String()
}

// The README shows the rules that the code goes by, and every verdict.
func TestREADMERules(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(readme)), " ")
	if !strings.Contains(string(readme), rulesTable()) {
		t.Errorf("the README does not show the table of rules, which is\n%s", rulesTable())
	}
	for v := range Verdicts {
		name := Verdict(v).String()
		row := "| `" + name + "` |"
		if k, ok := anomaly.Find(name); ok && k.Meaning == "" || !strings.Contains(string(readme), row) {
			t.Errorf("the README has no row %q", row)
		}
	}
	for _, number := range []string{
		fmt.Sprintf("After %d replies that fit no probe", guesses),
		fmt.Sprintf("one more every %d seconds", int(guessPatience.Seconds())),
		fmt.Sprintf("at most %d probes", mostAlike),
	} {
		if !strings.Contains(text, number) {
			t.Errorf("the README does not say %q", number)
		}
	}
}
