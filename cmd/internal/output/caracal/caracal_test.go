package caracal

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

func TestRows(t *testing.T) {
	var b bytes.Buffer
	if err := sample.Write(Kind, &b, frame.UDP); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 7 || len(rows[0]) != 17 {
		t.Fatalf("%d rows of %d columns, want 7 of 17", len(rows), len(rows[0]))
	}
	want := []string{
		"1795317539", "17", "::ffff:192.0.2.1", "::ffff:198.51.100.7", "40000", "33434", "2", "3", "::ffff:203.0.113.2",
		"1", "11", "0", "63", "180", "[(100,1,0,9),(200,0,1,8)]", "20", "1",
	}
	if diff := cmp.Diff(want, rows[4]); diff != "" {
		t.Errorf("a router with labels (-want +got)\n%s", diff)
	}
	want = []string{
		"1795317539", "17", "2001:db8::1", "2001:db8:7::7", "40000", "33434", "2", "1", "2001:db8:2::2",
		"58", "1", "1", "63", "112", "[]", "50", "1",
	}
	if diff := cmp.Diff(want, rows[6]); diff != "" {
		t.Errorf("IPv6 (-want +got)\n%s", diff)
	}
	if got := rows[3][15]; got != "19900" {
		t.Errorf("RTT of 1.99 s is %s tenths of a millisecond", got)
	}
}

// TestProtocols has the numbers of the methods' probes and of the target's
// answers to them.
func TestProtocols(t *testing.T) {
	for m, want := range map[frame.Method][2]string{
		frame.UDP: {"17", "1"}, frame.ICMP: {"1", "1"}, frame.TCP: {"6", "6"},
	} {
		var b bytes.Buffer
		if err := sample.Write(Kind, &b, m); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{rows[5][1], rows[5][9]}; got != want {
			t.Errorf("%s: protocols %v, want %v", m, got, want)
		}
	}
}

func TestLongRTTStaysAtTheTop(t *testing.T) {
	var b bytes.Buffer
	w, err := Kind.New(&b, sample.Run(frame.UDP))
	if err != nil {
		t.Fatal(err)
	}
	r := sample.Traces(frame.UDP)[0].Replies[0]
	r.RTT = 7e9
	b.Reset()
	if err := w.(*writer).Reply(&r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || rows[0][15] != "65535" {
		t.Errorf("rows %v, error %v; want an RTT of 65535", rows, err)
	}
}
