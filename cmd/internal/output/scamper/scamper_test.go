package scamper

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/output/sample"
	"github.com/hopquote/hopquote/frame"
)

var methods = []frame.Method{frame.UDP, frame.ICMP, frame.TCP}

func write(t *testing.T, kind record.Kind, m frame.Method) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sample.Write(kind, &b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lines parses each line as a JSON object.
func lines(t *testing.T, b []byte) []map[string]any {
	t.Helper()
	var list []map[string]any
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		var v map[string]any
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%v in %s", err, s.Bytes())
		}
		list = append(list, v)
	}
	return list
}

func TestJSON(t *testing.T) {
	list := lines(t, write(t, JSON, frame.UDP))
	if len(list) != 5 || list[0]["type"] != "cycle-start" || list[4]["type"] != "cycle-stop" {
		t.Fatalf("lines: %v", list)
	}
	reached := list[1]
	for key, want := range map[string]any{
		"method": "udp-paris", "src": "192.0.2.1", "dst": "198.51.100.7", "sport": 40000.0, "dport": 33434.0,
		"stop_reason": "COMPLETED", "stop_data": 0.0, "hop_count": 4.0, "attempts": 1.0, "hoplimit": 4.0,
		"firsthop": 1.0, "wait": 2.0, "probe_size": 44.0, "probe_count": 4.0,
	} {
		if diff := cmp.Diff(want, reached[key]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", key, diff)
		}
	}
	hops := reached["hops"].([]any)
	if len(hops) != 5 {
		t.Fatalf("%d hops, want 5", len(hops))
	}
	want := map[string]any{
		"addr": "203.0.113.2", "probe_ttl": 2.0, "probe_id": 1.0, "probe_size": 44.0,
		"tx": map[string]any{"sec": 1795317539.0, "usec": 226414.0}, "rtt": 2.0,
		"reply_ttl": 63.0, "reply_tos": 192.0, "reply_ipid": 5002.0, "reply_size": 180.0,
		"icmp_type": 11.0, "icmp_code": 0.0, "icmp_q_ttl": 3.0, "icmp_q_ipl": 44.0, "icmp_q_tos": 8.0,
		"icmpext": []any{
			map[string]any{"ie_cn": 1.0, "ie_ct": 1.0, "ie_dl": 8.0, "mpls_labels": []any{
				map[string]any{"mpls_ttl": 9.0, "mpls_s": 0.0, "mpls_exp": 1.0, "mpls_label": 100.0},
				map[string]any{"mpls_ttl": 8.0, "mpls_s": 1.0, "mpls_exp": 0.0, "mpls_label": 200.0},
			}},
			map[string]any{"ie_cn": 9.0, "ie_ct": 1.0, "ie_dl": 4.0, "ie_data": "deadbeef"},
		},
	}
	if diff := cmp.Diff(want, hops[3]); diff != "" {
		t.Errorf("second hop (-want +got)\n%s", diff)
	}
	if got := list[2]["stop_reason"]; got != "UNREACH" || list[2]["stop_data"] != 1.0 {
		t.Errorf("refused trace stops with %v %v", got, list[2]["stop_data"])
	}
	if _, there := list[3]["hops"]; there || list[3]["hop_count"] != 4.0 || list[3]["stop_reason"] != "HOPLIMIT" {
		t.Errorf("unanswered trace: %v", list[3])
	}
}

// TestWartsReadByScamper holds what scamper's own tools read in our warts
// against our JSON, which knows nothing of warts.
func TestWartsReadByScamper(t *testing.T) {
	tool, err := exec.LookPath("sc_warts2json")
	if err != nil {
		t.Skip("sc_warts2json is not installed (apt-get install scamper)")
	}
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.warts")
			if err := os.WriteFile(file, write(t, Warts, m), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(tool, file).Output()
			if err != nil {
				t.Fatalf("sc_warts2json: %v", err)
			}
			got, want := lines(t, out), lines(t, write(t, JSON, m))
			for i := range want {
				normalize(want[i])
			}
			for i := range got {
				normalize(got[i])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-ours +sc_warts2json)\n%s", diff)
			}
		})
	}
}

// normalize takes out what the two need not share: scamper's tools of 2021 show
// objects other than labels as bytes in a way of their own, and print the
// checksum of ICMP probes, which a survey does not keep.
func normalize(trace map[string]any) {
	delete(trace, "icmp_sum")
	hops, _ := trace["hops"].([]any)
	for _, h := range hops {
		list, _ := h.(map[string]any)["icmpext"].([]any)
		for _, o := range list {
			delete(o.(map[string]any), "ie_data")
		}
	}
}

func TestWartsText(t *testing.T) {
	tool, err := exec.LookPath("sc_warts2text")
	if err != nil {
		t.Skip("sc_warts2text is not installed (apt-get install scamper)")
	}
	file := filepath.Join(t.TempDir(), "out.warts")
	if err := os.WriteFile(file, write(t, Warts, frame.UDP), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"traceroute from 192.0.2.1 to 198.51.100.7", " 1  203.0.113.1  0.539 ms", " 2  203.0.113.2  2.000 ms",
		" 3  *", " 4  198.51.100.7  7.000 ms", "traceroute from 2001:db8::1 to 2001:db8:7::7", "2001:db8:2::2  5.000 ms",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("sc_warts2text does not show %q in\n%s", want, out)
		}
	}
}
