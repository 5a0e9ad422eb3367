package main

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
	"github.com/hopquote/hopquote/rx"
)

var updateQuotes = flag.Bool("update-quotes", false, "rewrite the golden texts and documents of testdata/scripts/quotes")

// TestQuoteScripts traces with --quotes through paths that do to quotes what
// routers do, one sort of it each, and compares text and JSON with the files
// beside the script.
func TestQuoteScripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/scripts/quotes/*.sim")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".sim")
		t.Run(filepath.Base(base), func(t *testing.T) {
			t.Parallel()
			script, err := simnet.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			// An IP ID may have two like bytes, and be the same when they are
			// swapped: that takes more than one attempt.
			var diff string
			for range 3 {
				text, document := traceQuotes(t, script)
				diff = golden(t, base+".txt", text) + golden(t, base+".json", document)
				if diff == "" {
					return
				}
			}
			t.Error(diff)
		})
	}
}

// traceQuotes makes the script's runs, each as text and as JSON.
func traceQuotes(t *testing.T, script *simnet.Script) (text, document string) {
	t.Helper()
	var documents []quotesTold
	for _, run := range script.Runs {
		n := openScript(t, script)
		r := runIn(t, n.Host(simnet.Prober), ours(), run.Args...).timeless()
		if r.Code != 0 || r.Stderr != "" {
			t.Errorf("exit %d, stderr %q", r.Code, r.Stderr)
		}
		text += withoutChance(withoutRace(r.Stdout, run.Args))
		n = openScript(t, script)
		documents = append(documents, quotesOf(t, runIn(t, n.Host(simnet.Prober), ours(), append(run.Args, "--format=json")...)))
		if !slices.Contains(run.Args, oneInFlight) {
			documents[len(documents)-1].Received = nil
		}
	}
	b, err := json.MarshalIndent(documents, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text, string(b) + "\n"
}

// golden tells how the text differs from the file's, "" for not.
func golden(t *testing.T, path, got string) string {
	t.Helper()
	if *updateQuotes {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		return path + " (-want +got):\n" + diff
	}
	return ""
}

// quotesTold is what a document tells of quotes.
type quotesTold struct {
	Hops        []hopTold
	PathChanges []jsonout.PathChange   `json:",omitempty"`
	Received    []jsonout.VerdictCount `json:",omitempty"` // with one probe in flight
}

type hopTold struct {
	TTL     int
	Answers []answerTold
}

type answerTold struct {
	Responder   netip.Addr
	QuotedBytes int
	Verdict     string                `json:",omitempty"` // none: exact
	Late        int                   `json:",omitempty"` // replies
	Changes     []jsonout.QuoteChange `json:",omitempty"`
}

// quotesOf reads the answers of a document up to the last hop of the path.
func quotesOf(t *testing.T, r result) quotesTold {
	t.Helper()
	doc := documentOf(t, r)
	if !doc.Options.Quotes {
		t.Error("the options don't tell of --quotes")
	}
	told := quotesTold{PathChanges: doc.PathChanges, Received: doc.Counts.Verdicts}
	for i := range told.PathChanges {
		for k := range told.PathChanges[i].Fields {
			f := &told.PathChanges[i].Fields[k]
			f.Sent, f.Quoted = chance(f.Field, f.Sent), chance(f.Field, f.Quoted)
		}
	}
	for _, h := range doc.Hops {
		hop := hopTold{TTL: h.TTL}
		end := false
		for _, p := range h.Probes {
			if p.Reply == nil || p.Responder == nil {
				continue
			}
			end = end || p.Outcome != "hop"
			a := answerTold{Responder: *p.Responder, Changes: p.Reply.QuoteChanges}
			if a.Late = p.LateReplies; p.Reply.Verdict != rx.Exact.String() {
				a.Verdict = p.Reply.Verdict
			}
			if p.Reply.Quote != nil {
				a.QuotedBytes = p.Reply.Quote.QuotedBytes
			}
			for i := range a.Changes {
				c := &a.Changes[i]
				c.Sent, c.Quoted = chance(c.Field, c.Sent), chance(c.Field, c.Quoted)
			}
			hop.Answers = append(hop.Answers, a)
		}
		told.Hops = append(told.Hops, hop)
		if end {
			break
		}
	}
	return told
}

func documentOf(t *testing.T, r result) jsonout.Document {
	t.Helper()
	var doc jsonout.Document
	d := json.NewDecoder(strings.NewReader(r.Stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || r.Code != 0 || r.Stderr != "" {
		t.Fatalf("exit %d, %s, %v", r.Code, r.Stderr, err)
	}
	return doc
}

// oneInFlight makes what a run receives the same every time: else it is a race
// what of the answers behind the last hop comes in time.
const oneInFlight = "-N1"

// received is the last line of --quotes.
var received = regexp.MustCompile(`(?m)^packets received: .*$`)

func withoutRace(text string, args []string) string {
	if slices.Contains(args, oneInFlight) {
		return text
	}
	return received.ReplaceAllString(text, "packets received: #")
}

// changed is a field in the text.
var changed = regexp.MustCompile(`([a-z][a-z0-9-]*) (\S+) -> ([^\s,;)]+)`)

// withoutChance shows what every run has others of as #.
func withoutChance(text string) string {
	return changed.ReplaceAllStringFunc(text, func(s string) string {
		m := changed.FindStringSubmatch(s)
		return m[1] + " " + chance(m[1], m[2]) + " -> " + chance(m[1], m[3])
	})
}

// chance shows a value of the field as # where it comes from chance.
func chance(field, value string) string {
	drawn := []string{"id", "ip-checksum", "checksum", "src-port", "identifier", "tcp-seq", "flow-label", "tcp-timestamps"}
	field = strings.ReplaceAll(field, "_", "-")
	isDrawn := slices.ContainsFunc(drawn, func(d string) bool { return field == d || strings.HasPrefix(field, d+"-") })
	if !isDrawn || slices.Contains([]string{"0", "0x0", "0xffff", "absent"}, value) {
		return value
	}
	return "#"
}
