package report

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/machine"
	"github.com/hopquote/hopquote/bench/measure"
)

// sample is a report with a row of every kind.
func sample() *Report {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	return &Report{
		Version: "hopquote 1", Command: []string{"hopquote", "bench", "peers", "--peer", "x=a b"}, Start: at, End: at.Add(time.Second),
		Rounds: 3, Seed: 7,
		Machine: machine.Facts{
			CPU: "Some CPU", CPUs: 2, Kernel: "6.18", Preempt: "none", Go: "go1.26", Load: [3]float64{0.5, 1, 2},
			BPFJIT: true, Backlog: 1000, Mitigations: "none",
		},
		Internet: &Internet{Form: "user space", Reason: "not allowed"},
		Tables: []measure.Table{{
			Name: "peers", Title: "side by side", Labels: []string{"tool", "asked"},
			Figures: []measure.Figure{{Key: "rate_pps", Title: "probes/s"}, {Key: "complete_percent", Title: "kept %", Digits: 2}, {Key: "x_ns", Title: "x"}},
			Rows: []measure.Row{
				{
					Labels: []string{"one", "max"}, Command: "one | two",
					Values: map[string][]float64{"rate_pps": {30, 10, 20}, "complete_percent": {50, 50.001, 50}},
					Notes:  []string{"lossy"},
				},
				{Labels: []string{"away", "max"}, Skipped: "not installed: apt-get install away"},
				{Labels: []string{"bad", "max"}, Values: map[string][]float64{"rate_pps": {1}}, Problems: []string{"2 sent, 1 asked"}},
			},
		}},
	}
}

// What answers otherwise than it was to is told, and why.
func TestInline(t *testing.T) {
	r := sample()
	r.Internet, r.Machine.Backlog = &Internet{Form: "kernel", Inline: "no backlog"}, 0
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"simulated Internet: in kernel, answered by the CPU that sends, which is slower: no backlog\n", "; backlog not to be seen from here; "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("does not say %q:\n%s", want, b.String())
		}
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := `machine: Some CPU, CPUs: 2, Linux 6.18 (preemption: none), go1.26
load average at the start: 0.50 1.00 2.00; BPF JIT on; checksum offload of the links off; backlog 1000 frames; spectre_v2: none
simulated Internet: in user space, answered by the CPU that sends; not in the kernel: not allowed
2026-07-01 12:00:00 UTC, seed 7, hopquote 1: medians of 3 rounds (min-max), the rows of a table measured in turns

peers: side by side
tool  asked  probes/s    kept %
one   max    20 (10-30)  50.00
away  max    -           -
bad   max    1           -
  one max: lossy
  away max: not run: not installed: apt-get install away
  bad max: FAILED: 2 sent, 1 asked
  one: $ one | two

repeat: hopquote bench peers --peer 'x=a b'
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(b.String(), "\n\n## ")
	want := `peers: side by side

| tool | asked | probes/s | kept % |
| --- | --- | --- | --- |
| one | max | 20 (10-30) | 50.00 |
| away | max | - | - |
| bad | max | 1 | - |

- one max: lossy
- away max: not run: not installed: apt-get install away
- bad max: FAILED: 2 sent, 1 asked
- one: $ one | two

repeat: hopquote bench peers --peer 'x=a b'
`
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Error(diff)
	}
}

// What is written is read back by the same schema, and has no other keys.
func TestJSON(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := Check(b.Bytes()); err != nil {
		t.Error(err)
	}
	var d document
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.document(), d); diff != "" {
		t.Error(diff)
	}
	if !d.Failed {
		t.Error("a report with a problem has not failed")
	}
	one := d.Tables[0].Rows[0].Figures["rate_pps"]
	if diff := cmp.Diff(spread{20, 10, 30, []float64{30, 10, 20}}, one); diff != "" {
		t.Error(diff)
	}
}

func TestCheckRefuses(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for _, c := range []struct{ name, old, new string }{
		{"another schema", Schema, "hopquote.bench/2"},
		{"a key too many", `"seed": 7`, `"seed": 7, "extra": 1`},
		{"a key too few", `"seed": 7,`, ``},
		{"null for a list", `"notes": []`, `"notes": null`},
		{"labels that do not fit", `"labels": [
            "one",
            "max"
          ]`, `"labels": ["one"]`},
		{"a figure that no column has", `"rate_pps": {`, `"rate": {`},
		{"not JSON", "{", "["},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: nothing was changed", c.name)
		}
		if err := Check([]byte(bad)); err == nil {
			t.Errorf("%s is taken", c.name)
		}
	}
}

// schema.md tells every key.
func TestSchemaTable(t *testing.T) {
	text, err := os.ReadFile("schema.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(t reflect.Type, visit func(key string))
	walk = func(t reflect.Type, visit func(string)) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem(), visit)
		case reflect.Struct:
			if t.PkgPath() != reflect.TypeFor[document]().PkgPath() {
				return
			}
			for f := range t.Fields() {
				visit(f.Tag.Get("json"))
				walk(f.Type, visit)
			}
		}
	}
	walk(reflect.TypeFor[document](), func(key string) {
		found++
		if !regexp.MustCompile(`^[a-z0-9_]+$`).MatchString(key) || !bytes.Contains(text, []byte("`"+key+"`")) {
			t.Errorf("schema.md does not tell `%s`", key)
		}
	})
	if found < 35 || !bytes.Contains(text, []byte(Schema)) {
		t.Errorf("only %d keys found, or the schema's name is missing", found)
	}
}

func TestCommandLine(t *testing.T) {
	if got, want := CommandLine([]string{"a", "", "b c", "it's", "$x"}), `a '' 'b c' 'it'\''s' '$x'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
