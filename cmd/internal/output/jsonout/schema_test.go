package jsonout

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/rx/anomaly/onpath"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// tags collects the JSON tags of a type and of all types that it holds.
func tags(t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		tags(t.Elem(), into)
	case reflect.Struct:
		if t.PkgPath() != reflect.TypeFor[Document]().PkgPath() {
			return
		}
		for f := range t.Fields() {
			into[f.Tag.Get("json")] = true
			tags(f.Type, into)
		}
	}
}

// The table tells every key, in code quotes, and every key has one plain tag.
func TestSchemaTable(t *testing.T) {
	table, err := os.ReadFile("schema.md")
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool)
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllSubmatch(table, -1) {
		told[string(m[1])] = true
	}
	want := make(map[string]bool)
	tags(reflect.TypeFor[Document](), want)
	for _, o := range outcomes {
		want[o] = true
	}
	for k := frame.KindNone; k <= frame.KindRaw; k++ {
		want[record.KindName(k)] = true
	}
	for r := rx.ReasonNone + 1; int(r) < rx.Reasons; r++ {
		want[word(r.String())] = true
	}
	for _, k := range anomaly.List() {
		want[word(k.Name)] = true
	}
	for v := range rx.Verdicts {
		want[word(rx.Verdict(v).String())] = true
	}
	for _, r := range append(rx.Rules(), rx.AnswerRules()...) {
		want[word(r.Name)] = true
	}
	for k := range onpath.Kind(onpath.Kinds) {
		want[k.String()] = true
	}
	for _, role := range roles {
		want[role] = true
	}
	for _, s := range []StopReason{Reached, Unreachable, MaxHops, Interrupted, Failed} {
		want[string(s)] = true
	}
	want[Schema] = true
	for w := range want {
		if !regexp.MustCompile(`^[a-z0-9_./]+$`).MatchString(w) {
			t.Errorf("%q is no lower-case word", w)
		}
		if !told[w] {
			t.Errorf("schema.md does not tell `%s`", w)
		}
	}
	if len(want) < 90 {
		t.Errorf("only %d words of the schema found", len(want))
	}
}

func TestNoNullLists(t *testing.T) {
	hollow := Document{PathChanges: []PathChange{{}}, Hops: []Hop{{}, {Probes: []Probe{
		{AS: &AS{}},
		{Reply: &Reply{Extensions: &Extensions{}}},
		{Reply: &Reply{Extensions: &Extensions{Objects: []Object{{}}}}},
	}}}}
	f, records := full()
	for _, d := range []Document{{}, hollow, Build(f, records)} {
		var out bytes.Buffer
		if err := Write(&out, d); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"command_line", "hops", "probes", "tcp_flags", "rewritten", "objects", "mpls", "stray_reasons", "verdicts", "anomalies", "origins", "quote_changes", "path_changes", "fields"} {
			if strings.Contains(out.String(), `"`+key+`": null`) {
				t.Errorf("%s is null in\n%s", key, &out)
			}
		}
	}
	if hollow.Hops[0].Probes != nil || hollow.Hops[1].Probes[0].AS.Origins != nil || hollow.Hops[1].Probes[1].Reply.TCPFlags != nil {
		t.Error("Write changed the document it was given")
	}
}

func TestBuildKeepsTheRecordsOrder(t *testing.T) {
	f, records := full()
	_, want := full()
	d := Build(f, records)
	if diff := cmp.Diff(want[0].Tag, records[0].Tag); diff != "" {
		t.Errorf("Build sorted the caller's records: %s", diff)
	}
	var order []int
	for _, h := range d.Hops {
		for _, p := range h.Probes {
			order = append(order, h.TTL*10+p.Query)
		}
	}
	if diff := cmp.Diff([]int{10, 11, 20, 21, 30, 31, 40, 41}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFactorsThatAreNoNumbers(t *testing.T) {
	f := facts()
	f.Options.WaitHere, f.Options.WaitNear = math.NaN(), math.Inf(1)
	var out bytes.Buffer
	if err := Write(&out, Build(f, nil)); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("error %v, text %s", err, &out)
	}
}

func TestWriteError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	defer full.Close()
	if err := Write(full, Build(facts(), nil)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
}

func FuzzExtensions(f *testing.F) {
	f.Add(labelled)
	f.Add(interfaces)
	f.Add([]byte{0x20, 0, 0, 0, 0, 7, 1, 1, 0, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, ext []byte) {
		r := icmp(sent(1, 0), hops.Hop, "10.1.1.1", frame.KindTimeExceeded, 11, 0)
		r.Answer.Ext = ext
		var out bytes.Buffer
		if err := Write(&out, Build(facts(), []hops.Record{r})); err != nil || !json.Valid(out.Bytes()) {
			t.Errorf("error %v, text %s", err, &out)
		}
	})
}
