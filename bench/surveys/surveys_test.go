package surveys

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/simnet/internet/score"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Targets are as many as asked for, each in a /24 of its own unless dense, the
// first ones the same however many there are.
func TestTargets(t *testing.T) {
	for _, dense := range []bool{false, true} {
		s := Set{N: 300, Dense: dense, Seed: 5}
		seen := make(map[netip.Addr]bool)
		var list []netip.Addr
		all, err := s.all(300)
		if err != nil {
			t.Fatal(err)
		}
		for a := range all {
			key := a
			if !dense {
				key = netip.PrefixFrom(a, 24).Masked().Addr()
			}
			if seen[key] {
				t.Errorf("dense %t: %s is not alone", dense, a)
			}
			seen[key] = true
			list = append(list, a)
		}
		if len(list) != 300 {
			t.Errorf("dense %t: %d targets, want 300", dense, len(list))
		}
		path := filepath.Join(t.TempDir(), "targets")
		if err := s.write(path, 10); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for _, a := range list[:10] {
			want.WriteString(a.String() + "\n")
		}
		if string(text) != want.String() {
			t.Errorf("dense %t: the first 10 of 300 are\n%s, alone they are\n%s", dense, want.String(), text)
		}
	}
	for s, want := range map[Set]string{
		{N: 300, Dense: true}: "20.0.0.0-20.0.1.43",
		{N: 300}:              "--per-prefix 24 20.0.0.0-20.1.43.255",
		{N: MaxTargets}:       "--per-prefix 24 20.0.0.0-83.255.255.255",
	} {
		if got := s.words(s.N); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}

func TestReaders(t *testing.T) {
	want := []score.Result{
		{Target: addr("20.0.0.1"), TTL: 3, From: addr("100.0.0.7")},
		{Target: addr("20.0.0.1"), TTL: 16, From: addr("20.0.0.1")},
	}
	const names = "target,ttl,flow,attempt,responder,rtt_us\n"
	for _, c := range []struct {
		kind, text, wrong string
	}{
		{"replies", names + "20.0.0.1,3,0,0,100.0.0.7,1.5\n20.0.0.1,16,0,0,20.0.0.1,2\n", ""},
		{"replies", names + "20.0.0.1,3,0", "line 2: \"20.0.0.1,3,0\" is no reply"},
		{"replies", names + "20.0.0,3,0,0,100.0.0.7,", "IPv4 address too short"},
		{"replies", names + "20.0.0.1,x,0,0,100.0.0.7,", "invalid syntax"},
		{"replies", names + "20.0.0.1,3,0,0,?,", "unable to parse IP"},
		{
			"jsonl", `{"target":"20.0.0.1","replies":[{"ttl":3,"responder":"100.0.0.7"}]}
{"target":"20.0.0.1","replies":[{"ttl":16,"responder":"20.0.0.1"}]}`, "",
		},
		{"jsonl", `{"target":`, "unexpected EOF"},
		{
			"scamper", `{"type":"cycle-start"}
{"type":"trace","dst":"20.0.0.1","sport":5,"dport":6,"hops":[{"addr":"100.0.0.7","probe_ttl":3},{"addr":"20.0.0.1","probe_ttl":16}]}`, "",
		},
		{"scamper", `[]`, "cannot unmarshal array"},
	} {
		var got []score.Result
		each := func(r score.Result) { got = append(got, r) }
		var err error
		if in := strings.NewReader(c.text); c.kind == "scamper" {
			err = readScamper(in, func(trace *scamperTrace) {
				if trace.Sport != 5 || trace.Dport != 6 {
					t.Errorf("ports %d and %d", trace.Sport, trace.Dport)
				}
			}, each)
		} else {
			err = readers[c.kind](in, each)
		}
		if c.wrong == "" {
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
				t.Errorf("%s: %v %s", c.kind, err, diff)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s %q: error %v, want %s", c.kind, c.text, err, c.wrong)
		}
	}
}

func TestMetadata(t *testing.T) {
	output := filepath.Join(t.TempDir(), "output")
	read := func(text string) Metadata {
		if err := os.WriteFile(output+MetadataSuffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := ReadMetadata(output)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := read(`{"complete":true,"counts":{"sent":9,"answered":6,"expired":2,"in_flight":1,
		"received":11,"matched":6,"duplicate":2,"late":1,"stray":2}}`)
	if got := m.contradictions(); len(got) != 0 || m.recorded() != 9 {
		t.Errorf("%q, %d replies in the output", got, m.recorded())
	}
	if _, err := os.Stat(output + MetadataSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	m = read(`{"complete":false,"counts":{"sent":9,"answered":6,"expired":2,"received":1,"matched":6,"stray":1}}`)
	want := []string{"it says that it is not complete", "sent 9, but answered, expired and in flight are 8", "received 1, but matched, duplicate, late and stray are 7"}
	if diff := cmp.Diff(want, m.contradictions()); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadMetadata(output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("metadata that is not there: %v", err)
	}
}

// What a target takes is what is there above a half of them, which is run once,
// and is not said of few.
func TestMemory(t *testing.T) {
	halves := 0
	half := func(context.Context) (s measure.Sample, err error) {
		halves++
		s.Set("peak_mib", 10)
		s.Set("known_hops_bytes", 1<<19)
		return s, nil
	}
	run := func(targets float64) runFunc {
		return withMemory(func(context.Context) (s measure.Sample, err error) {
			s.Set("peak_mib", 14)
			s.Set("known_hops_bytes", 5<<19)
			s.Set("targets", targets)
			s.Set("probes", 60)
			s.Set("interfaces_found", 20)
			return s, nil
		}, half)
	}
	many := run(1 << 22)
	for range 2 {
		s, err := many(t.Context())
		if err != nil || s.Values["memory_per_target_bytes"] != 2 || s.Values["known_hops_per_target_bytes"] != 1 || s.Values["probes_per_interface"] != 3 {
			t.Errorf("%v, error %v; want 2 bytes a target, 1 of them for hops, 3 probes an interface", s.Values, err)
		}
	}
	if halves != 1 {
		t.Errorf("half of the targets was run %d times", halves)
	}
	s, err := run(fewTargets - 1)(t.Context())
	if _, said := s.Values["memory_per_target_bytes"]; said || err != nil || halves != 1 {
		t.Errorf("few targets: %v, error %v", s.Values, err)
	}
}

func TestSplit(t *testing.T) {
	whole := measure.Table{
		Name: "survey", Labels: []string{"prober"}, Figures: append(figures[:len(figures):len(figures)], found...),
		Rows: []measure.Row{{Labels: []string{"a"}, Problems: []string{"bad"}, Values: map[string][]float64{"rate_pps": {1}, "wrong": {0}}}},
	}
	two := Split(whole)
	if len(two) != 2 || two[0].Name != "survey" || two[1].Name != "survey-found" || !two[0].Failed() || two[1].Failed() {
		t.Fatalf("%+v", two)
	}
	if two[0].Figures[0].Key != "rate_pps" || two[1].Figures[0].Key != found[0].Key || len(two[0].Figures)+len(two[1].Figures) != len(whole.Figures) {
		t.Errorf("figures %+v and %+v", two[0].Figures, two[1].Figures)
	}
	if s, ok := two[1].Rows[0].Spread("wrong"); !ok || s.Max != 0 {
		t.Errorf("the second table lost what was found: %+v", two[1].Rows)
	}
}
