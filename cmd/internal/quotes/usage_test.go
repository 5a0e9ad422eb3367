package quotes

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hopquote/hopquote/cmd/internal/quotes/view"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/attribute"
)

// sample has two hops, one of which rewrites, and a foreign error.
func sample(t testing.TB) string {
	c := newCapture(t)
	for ttl := uint8(1); ttl <= 3; ttl++ {
		p := udp4()
		p.TTL, p.ID, p.DstPort = ttl, p.ID+uint16(ttl), p.DstPort+uint16(ttl)
		b := packet(t, p)
		q := expired(b)
		if ttl == 2 {
			q = resum(put(1, 0x20)(q))
		}
		from := hop4
		if ttl == 3 {
			from = dst4
		}
		c.add(b, timeExceeded(from, us4, q, nil, 0))
	}
	other := udp4()
	other.SrcPort, other.DstPort, other.ID = 1, 2, 3
	c.add(timeExceeded(hop4, us4, expired(packet(t, other)), nil, 0))
	return c.save()
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no capture at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := sample(t)
	nothing := filepath.Join(dir, "nothing")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "which capture?"},
		{[]string{"--format=xml", good}, 2, `format "xml", want text, jsonl or csv`},
		{[]string{"--table=x", good}, 2, `table "x", want some of totals`},
		{[]string{"--format=csv", "--table=keys,ttls", good}, 2, "2 tables, want one"},
		{[]string{"--ttl=0", good}, 2, `--ttl "0", want 1..255`},
		{[]string{"--ttl=5-3", good}, 2, `--ttl "5-3"`},
		{[]string{"--responder=host", good}, 2, `--responder "host", want an address`},
		{[]string{"--verdict=good", good}, 2, `verdict "good", want some of exact`},
		{[]string{"--keys=ports,luck", good}, 2, `key "luck", want some of ports`},
		{[]string{"--plot=a.png", good}, 2, "ends in .svg"},
		{[]string{"--plot=a.svg", "--keys=none", good}, 2, "leaves none"},
		{[]string{"--wait=-1s", good}, 2, "want a positive wait"},
		{[]string{"--limit=-1", good}, 2, "limit -1"},
		{[]string{"-", "-"}, 2, "only once"},
		{[]string{"--nonsense"}, 2, "unknown flag"},
		{[]string{filepath.Join(dir, "none")}, 1, "no such file"},
		{[]string{text}, 1, "neither pcap nor pcapng"},
		{[]string{nothing}, 1, "nothing: the file is empty"},
		{[]string{good, nothing}, 1, "nothing: the file is empty"},
		{[]string{dir}, 1, "is a directory"},
		{[]string{"/proc/self/mem"}, 1, "input/output error"}, // it opens, and can't be read
		{[]string{"--plot=" + filepath.Join(dir, "no", "a.svg"), good}, 1, "write plot"},
	} {
		o := command(t, tt.args...)
		first, rest, _ := strings.Cut(o.stderr, "\n")
		if o.status != tt.status || !strings.HasPrefix(first, "hopquote quotes: ") || !strings.Contains(first, tt.want) {
			t.Errorf("%v: exit %d, %q, want %d and %q", tt.args, o.status, o.stderr, tt.status, tt.want)
		}
		if tt.status == 1 && rest != "" {
			t.Errorf("%v: more than a line: %q", tt.args, o.stderr)
		}
	}
}

func TestDamagedIsReported(t *testing.T) {
	whole, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(path, whole[:len(whole)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	o := jsonl(t, path)
	if o.status != statusDamaged || strings.Count(o.stderr, "\n") != 1 || len(o.of("reply")) != 3 || len(o.of("totals")[0].Damage) != 1 {
		t.Errorf("exit %d, %q, %d replies, want 3 and the damage told", o.status, o.stderr, len(o.of("reply")))
	}
}

// A capture may be cut anywhere behind its file header: what comes before is
// reported. Without a packet there is nothing to report, in every format.
func TestCutAnywhere(t *testing.T) {
	whole, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	const fileHeader = 24
	path := filepath.Join(t.TempDir(), "cut.pcap")
	for n := fileHeader; n < fileHeader+120; n++ {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		o := jsonl(t, path)
		if total := o.of("totals")[0]; n == fileHeader && (o.status != 0 || total.Packets != 0) ||
			o.status == statusDamaged != (len(total.Damage) == 1) || n == fileHeader+1 && o.status != statusDamaged {
			t.Errorf("%d bytes: exit %d, %d packets, damage %q", n, o.status, total.Packets, total.Damage)
		}
	}
	if err := os.WriteFile(path, whole[:fileHeader], 0o600); err != nil {
		t.Fatal(err)
	}
	if o := command(t, path); o.status != 0 || !strings.HasPrefix(o.stdout, "1 capture: 0 packets, 0 bytes, 0s\n0 = 0 probes + 0 replies") {
		t.Errorf("no packet: exit %d\n%s", o.status, o.stdout)
	}
	if o := command(t, "--format=csv", path); o.status != 0 || strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("no packet: exit %d, want the heading alone\n%s", o.status, o.stdout)
	}
}

// The usual view fits a terminal, and every format has every table.
func TestViews(t *testing.T) {
	path := sample(t)
	o := command(t, path)
	if o.status != 0 || !strings.Contains(o.stdout, "7 = 3 probes + 4 replies + 0 copies + 0 other") {
		t.Errorf("exit %d:\n%s%s", o.status, o.stdout, o.stderr)
	}
	for _, l := range strings.Split(o.stdout, "\n") {
		if n := utf8.RuneCountInString(l); n > 80 {
			t.Errorf("line of %d: %q", n, l)
		}
	}
	for _, table := range view.Tables {
		if o := command(t, "--format=csv", "--table="+table, path); o.status != 0 || strings.Count(o.stdout, "\n") < 2 && table != "extensions" {
			t.Errorf("csv %s: exit %d\n%s", table, o.status, o.stdout)
		}
		if o := command(t, "--table="+table, path); o.status != 0 {
			t.Errorf("text %s: exit %d\n%s", table, o.status, o.stderr)
		}
	}
}

func TestFilters(t *testing.T) {
	path := sample(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "exact; rewritten dscp; exact from-target; foreign foreign"},
		{[]string{"--ttl=2-3"}, "rewritten dscp; exact from-target"},
		{[]string{"--responder=10.2.0.0/16"}, "exact from-target"},
		{[]string{"--responder=10.2.2.2"}, "exact from-target"},
		{[]string{"--verdict=foreign,rewritten"}, "rewritten dscp; foreign foreign"},
		{[]string{"--target=10.2.2.2", "--ttl=1"}, "exact"},
	} {
		o := command(t, append([]string{"--format=jsonl", "--table=replies", path}, tt.args...)...)
		lines := jsonlLines(t, o.stdout)
		if got := replyOf(&output{lines: lines}); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestIdentityAndExplain(t *testing.T) {
	o := command(t, "--identity")
	if n := 2 + len(frame.IdentityFields()) + len(frame.KeyedFields()); strings.Count(o.stdout, "\n") != n || o.status != 0 {
		t.Errorf("%d lines, want %d", strings.Count(o.stdout, "\n"), n)
	}
	o = command(t, "--explain")
	for _, k := range anomaly.List() {
		if !strings.Contains(o.stdout, k.Name) {
			t.Errorf("anomaly %s is not explained", k.Name)
		}
	}
	for _, r := range attribute.Rules() {
		if !strings.Contains(o.stdout, r.Name) {
			t.Errorf("rule %s is not explained", r.Name)
		}
	}
}

func TestPlot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.svg")
	if o := command(t, "--plot="+path, sample(t)); o.status != 0 {
		t.Fatal(o.stderr)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		XMLName xml.Name
		Width   string `xml:"width,attr"`
	}
	if err := xml.Unmarshal(b, &svg); err != nil || svg.XMLName.Local != "svg" {
		t.Errorf("%v, %+v", err, svg)
	}
	for _, k := range attribute.Keys() {
		if !strings.Contains(string(b), ">"+k.Name+"<") {
			t.Errorf("no bar for %s", k.Name)
		}
	}
}

// The README shows the rules as the code has them, and every verdict.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range attribute.Rules() {
		if row := "| `" + r.Name + "` | " + r.Need.String() + " | " + r.Meaning + " |"; !strings.Contains(string(text), row) {
			t.Errorf("the README lacks %q", row)
		}
	}
	for v := range attribute.Verdict(attribute.Verdicts) {
		if row := "| `" + v.String() + "` | " + v.Meaning() + " |"; !strings.Contains(string(text), row) {
			t.Errorf("the README lacks %q", row)
		}
	}
}
