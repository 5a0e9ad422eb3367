package rx

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/attribute"
)

func TestStrings(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Stray.String(), "stray"},
		{Late.String(), "late"},
		{Verdict(200).String(), "invalid"},
		{ReasonNone.String(), "none"},
		{ReasonCheck.String(), "check"},
		{Reason(200).String(), "invalid"},
		{RuleID(0).String(), "none"},
		{ruleWhole.String(), "whole"},
		{ruleAnswer.String(), "answer"},
		{RuleID(200).String(), "invalid"},
		{(Source | OtherVersion).String(), "source + other version"},
		{Evidence(0).String(), ""},
	} {
		if c.got != c.want {
			t.Errorf("string %q, want %q", c.got, c.want)
		}
	}
	for r := ReasonNone; int(r) < Reasons; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}

// Captures and live runs speak of verdicts in the same words. A live run does not
// refuse an answer that several probes may have, but says that it is undecided.
func TestVerdictsAreThoseOfCaptures(t *testing.T) {
	var live, offline []string
	for v := range Verdicts {
		if v := Verdict(v); v != Undecided {
			live = append(live, v.String())
		}
	}
	for v := range attribute.Verdicts {
		offline = append(offline, attribute.Verdict(v).String())
	}
	slices.Sort(live)
	slices.Sort(offline)
	if d := cmp.Diff(offline, live); d != "" {
		t.Errorf("verdicts (-offline +live):\n%s", d)
	}
	for v := range Verdicts {
		v := Verdict(v)
		if v.First() && !v.Attributed() {
			t.Errorf("%v is first and of no probe", v)
		}
		_, named := anomaly.Find(v.String())
		if named == (v == Exact || v == Rewritten || v == Undecided) {
			t.Errorf("%v is an anomaly: %t", v, named)
		}
	}
}

// A weak rule behind a strong one would never count; every rule needs what no
// earlier one of no more bits does.
func TestRulesAreOrdered(t *testing.T) {
	for _, list := range [][]Rule{Rules(), AnswerRules()} {
		names := map[string]bool{}
		for i, r := range list {
			if names[r.Name] || r.Name == "" || r.Meaning == "" || r.Need == 0 {
				t.Errorf("rule %d: %+v", i, r)
			}
			names[r.Name] = true
			for _, before := range list[:i] {
				if r.Need&before.Need == before.Need && r.Bits >= before.Bits && before.Bits != 0 && !before.Alone {
					t.Errorf("rule %s comes behind %s, which takes all that it would", r.Name, before.Name)
				}
			}
			if r.Alone && !r.weak() {
				t.Errorf("rule %s is strong and wants to be alone", r.Name)
			}
		}
	}
}
