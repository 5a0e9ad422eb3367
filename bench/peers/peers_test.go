package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }

// Outputs as the programs print them, shortened.
var outputs = map[string]struct {
	text string
	want uint64
}{
	"traceroute": {"traceroute to 20.0.0.0 (20.0.0.0), 16 hops max, 60 byte packets\n" +
		" 1  10.99.0.254  0.071 ms\n 2  *\n 3  100.64.0.1  0.050 ms  0.040 ms\n", 3},
	"scamper": {`{"type":"cycle-start","list_name":"default"}` + "\n" +
		`{"type":"trace","dst":"20.0.0.0","hops":[{"addr":"10.99.0.254"},{"addr":"20.0.0.0"}]}` + "\n" +
		`{"type":"trace","dst":"20.0.0.1","hop_count":0}` + "\n", 2},
	"mtr": {"Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\n" +
		"MTR.0.95,1,OK,20.0.0.0,1,10.99.0.254,0.00,1,0,0.05,0.05,0.05,0.05,0.00\n" +
		"MTR.0.95,1,OK,20.0.0.0,2,???,100.00,1,0,0.00,0.00,0.00,0.00,0.00\n", 1},
	"masscan": {"#masscan\nopen icmp 0 20.0.0.1 1\nopen tcp 80 20.0.0.2 1\n# end\n", 2},
	"zmap":    {"20.0.0.1\n20.0.0.2\n", 2},
	"dublin-traceroute": {"Starting dublin-traceroute\nTraceroute from 0.0.0.0:12345 to 20.0.0.0:33434~33434 (probing 1 path, min TTL is 1, max TTL is 3, delay is 0 ms)\n" +
		"== Flow ID 33434 ==\n1    10.99.0.254 (10.99.0.254), IP ID: 1 RTT 0.1 ms  ICMP (type=11, code=0) 'TTL expired in transit'\n" +
		"2    *\n3    20.0.0.0 (20.0.0.0), IP ID: 2 RTT 0.2 ms\nSaved JSON file to trace.json .\n", 2},
	"yarrp":   {"# head\n20.0.0.1, 1\n20.0.0.2, 2\n", 2},
	"caracal": {"capture_timestamp,probe_protocol\n1,2\n3,4\n", 2},
}

func TestCount(t *testing.T) {
	for name := range known {
		if _, ok := outputs[name]; !ok {
			t.Errorf("there is no output of %s", name)
		}
	}
	for name, o := range outputs {
		path := filepath.Join(t.TempDir(), "output")
		if err := os.WriteFile(path, []byte(o.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range []contest.Run{{Stdout: path}, {Output: path, UsesOutput: true}} {
			got, err := Named(contest.Contender{Name: name}).Count(r)
			if err != nil || got.Records != o.want {
				t.Errorf("%s: %d replies counted, error %v; want %d", name, got.Records, err, o.want)
			}
		}
		if _, err := Named(contest.Contender{Name: name}).Count(contest.Run{Stdout: path + "-gone"}); err == nil {
			t.Errorf("%s: an output that is not there is no error", name)
		}
	}
	if _, err := countScamper(contest.Run{Stdout: filepath.Join("testdata", "none")}); err == nil {
		t.Error("no file is no error")
	}
}

// Every peer that is installed is answered, and its output is understood.
func TestInstalled(t *testing.T) {
	for _, c := range All() {
		t.Run(c.Name, func(t *testing.T) {
			lab.Skip(t)
			if c.Missing != "" {
				t.Skip(c.Missing)
			}
			g, err := ground.Open(ground.Config{Seed: 1, Inline: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := g.Close(); err != nil {
					t.Error(err)
				}
			}()
			suite := contest.Suite(g, contest.Config{Contenders: []contest.Contender{c}, Rates: []float64{2000}, Time: 100 * time.Millisecond})
			table, err := suite.Run(t.Context(), 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := table.Rows[0]
			answered, _ := r.Spread("answered")
			kept, _ := r.Spread("complete_percent")
			cpu, _ := r.Spread("cpu_s_per_million")
			// The sniffer of dublin-traceroute may start after all replies have come.
			hasNone := kept.Median <= 0 && c.Name != "dublin-traceroute"
			if answered.Median < 1 || hasNone || kept.Median > 100 || cpu.Median <= 0 || len(r.Notes)+len(r.Problems) > 0 {
				t.Errorf("%v answered, %v %% of them written, CPU %v, notes %q, problems %q", answered.Median, kept.Median, cpu.Median, r.Notes, r.Problems)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range All() {
		if !strings.HasPrefix(c.Missing, "not installed: apt-get install ") {
			t.Errorf("%s: missing is %q", c.Name, c.Missing)
		}
	}
}
