package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What hopquote sends, and captures itself, is explained by hopquote quotes:
// every reply is the exact answer to a probe.
func TestQuotesOfOurOwn(t *testing.T) {
	n := openLab(t, "line")
	for _, method := range []string{"-I", "-U", "-T", "-UL"} {
		path := filepath.Join(t.TempDir(), "run.pcapng")
		if got := runIn(t, n.Host("h1"), ours(), "-n", patient, method, "--pcap="+path, "192.168.120.20"); got.Code != 0 {
			t.Fatalf("%s: %+v", method, got)
		}
		out, err := exec.Command(filepath.Join(binaries, "hopquote"), "quotes", "--format=jsonl", path).Output()
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		replies, reached := 0, false
		for _, text := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			var l struct{ Type, Verdict, Responder string }
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			if l.Type != "reply" {
				continue
			}
			replies++
			reached = reached || l.Responder == "192.168.120.20"
			if l.Verdict != "exact" {
				t.Errorf("%s: %s", method, text)
			}
		}
		if replies < 9 || !reached {
			t.Errorf("%s: %d replies, target among them: %v", method, replies, reached)
		}
	}
}
