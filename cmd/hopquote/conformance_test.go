package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConformanceSmoke(t *testing.T) {
	n := openLab(t, "line")
	want := runIn(t, n.Host("h1"), theirs(t), "-n", "192.168.120.20").timeless()
	got := runIn(t, n.Host("h1"), ours(), "-n", "192.168.120.20").timeless()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-traceroute +hopquote):\n%s", diff)
	}
}
