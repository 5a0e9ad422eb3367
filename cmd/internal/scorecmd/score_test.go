package scorecmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const truthText = `{"schema":"hopquote.truth/1"}
{"target":"20.0.0.1","end":"reached","distance":3,"hops":[{"ttl":1,"routers":[{"address":"10.0.0.1"}]},{"ttl":2,"routers":[{"address":"10.0.0.2"},{"address":"10.0.0.3"}]},{"ttl":3,"routers":[{"address":"20.0.0.1"}]}]}
`

const repliesHead = "target,ttl,flow,attempt,responder,rtt_us,kind\n"

const tracesText = `{"schema":"hopquote.survey.trace/1","target":"20.0.0.1","replies":[{"ttl":1,"responder":"10.0.0.1"},{"ttl":2,"responder":"10.0.0.2"},{"ttl":3,"responder":"20.0.0.1"}]}
`

const repliesText = repliesHead + "20.0.0.1,1,0,0,10.0.0.1,5.000,time_exceeded\n20.0.0.1,2,0,0,10.0.0.2,5.000,time_exceeded\n20.0.0.1,3,0,0,20.0.0.1,5.000,unreachable\n"

// table is the report on interfaces, hops and targets: found, missed and wrong
// of each.
func table(n ...any) string {
	return fmt.Sprintf("                found     missed      wrong\n"+
		"interfaces %10d %10d %10d\nhops       %10d %10d %10d\ntargets    %10d %10d %10d\n", n...)
}

func packed(t *testing.T, s string, to func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := to(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t *testing.T, s string) string {
	return packed(t, s, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func TestScore(t *testing.T) {
	zstandard := packed(t, tracesText, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	})
	good := table(2, 1, 0, 3, 1, 0, 1, 0, 0)
	wrong := strings.Replace(tracesText, "10.0.0.2", "10.9.9.9", 1)
	for name, test := range map[string]struct {
		truth, results string
		args           string
		status         int
		out, errs      string // out all of it, errs a part
	}{
		"traces":     {truthText, tracesText, "", 0, good, ""},
		"replies":    {truthText, repliesText, "", 0, good, ""},
		"gzip":       {truthText, gzipped(t, repliesText), "", 0, good, ""},
		"zstd":       {truthText, zstandard, "", 0, good, ""},
		"JSON":       {truthText, tracesText, "--json", 0, `{"schema":"hopquote.score/1","interfaces":{"found":2,"missed":1,"wrong":0},"hops":{"found":3,"missed":1,"wrong":0},"targets":{"found":1,"missed":0,"wrong":0},"strangers":0}` + "\n", ""},
		"none found": {truthText, repliesHead, "", 0, table(0, 3, 0, 0, 4, 0, 0, 1, 0), ""},
		"wrong":      {truthText, wrong, "", 1, table(1, 2, 1, 2, 2, 1, 1, 0, 0), ""},
		"stranger": {truthText, tracesText + strings.ReplaceAll(tracesText, "20.0.0.1", "20.0.0.7"), "", 1,
			table(2, 1, 0, 3, 1, 3, 1, 0, 0) + "3 results are for targets that the truth does not have\n", ""},

		"empty results":   {truthText, "", "", 2, "", "results: nothing is in it"},
		"empty truth":     {"", tracesText, "", 2, "", "truth: score: read the first line: EOF"},
		"truth's schema":  {strings.Replace(truthText, "truth/1", "truth/9", 1), tracesText, "", 2, "", `truth: score: schema "hopquote.truth/9": must be`},
		"cut truth":       {truthText[:200], tracesText, "", 2, "", "truth: score: read path 1: unexpected EOF"},
		"cut trace":       {truthText, tracesText[:90], "", 2, "", "results: trace 1: unexpected EOF"},
		"cut reply":       {truthText, repliesText[:len(repliesText)-30], "", 2, "", "results: record on line 4: wrong number of fields"},
		"cut gzip":        {truthText, gzipped(t, tracesText)[:60], "", 2, "", "results: trace 1: unexpected EOF"},
		"cut zstd":        {truthText, zstandard[:60], "", 2, "", "results: unexpected EOF"},
		"results' schema": {truthText, strings.Replace(tracesText, "trace/1", "trace/2", 1), "", 2, "", `results: trace 1: schema "hopquote.survey.trace/2"`},
		"truth as result": {truthText, truthText, "", 2, "", `results: trace 1: schema "hopquote.truth/1"`},
		"no target":       {truthText, strings.Replace(tracesText, `"target":"20.0.0.1",`, "", 1), "", 2, "", "trace 1: schema"},
		"no TTL":          {truthText, strings.Replace(tracesText, `"ttl":2,`, "", 1), "", 2, "", `trace 1: TTL 0 answered by "10.0.0.2"`},
		"other columns":   {truthText, "a,b\n1,2\n", "", 2, "", `results: the first line is`},
		"no address":      {truthText, repliesHead + "x,1,0,0,10.0.0.1,5,a\n", "", 2, "", `line 2: target "x": want an address`},
		"no TTL in line":  {truthText, repliesHead + "20.0.0.1,256,0,0,10.0.0.1,5,a\n", "", 2, "", `line 2: ttl "256": want 1 to 255`},
		"no responder":    {truthText, repliesHead + "20.0.0.1,2,0,0,,5,a\n", "", 2, "", `line 2: responder "": want an address`},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"truth": test.truth, "results": test.results} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out, errs bytes.Buffer
		args := append(strings.Fields(test.args), "--truth", dir+"/truth", dir+"/results")
		status := Main(args, strings.NewReader(""), &out, &errs)
		if status != test.status || out.String() != test.out || !strings.Contains(errs.String(), test.errs) || (test.errs == "") != (errs.Len() == 0) {
			t.Errorf("%s: status %d, output\n%serrors %q; want %d,\n%s%q", name, status, &out, &errs, test.status, test.out, test.errs)
		}
	}
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "--truth is missing",
		"--truth x":             "no results",
		"--frobnicate":          "unknown flag",
		"--truth /nonesuch/a -": "open /nonesuch/a: no such file or directory",
		"--truth - /nonesuch/a": "open /nonesuch/a: no such file or directory",
	} {
		var out, errs bytes.Buffer
		if status := Main(strings.Fields(args), strings.NewReader(truthText), &out, &errs); status != 2 || out.Len() > 0 || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: status %d, output %q, errors %q; want 2, none, %q", args, status, &out, &errs, want)
		}
	}
	var out, errs bytes.Buffer
	if status := Main([]string{"-h"}, nil, &out, &errs); status != 0 || errs.Len() > 0 || !strings.Contains(out.String(), "--truth FILE") {
		t.Errorf("help: status %d, output %q", status, &out)
	}
}

func FuzzResults(f *testing.F) {
	f.Add([]byte(tracesText))
	f.Add([]byte(repliesText))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for r, err := range results("-", bytes.NewReader(b)) {
			if err == nil && (!r.Target.IsValid() || !r.From.IsValid() || r.TTL < 1 || r.TTL > 255) {
				t.Errorf("%+v", r)
			}
		}
	})
}
