package contest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/bare"
	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/transmit"
)

// proberVar makes the test binary a prober that sends as many probes as its
// value says, and writes nothing.
const proberVar = "HOPQUOTE_CONTEST_TEST_PROBES"

func TestMain(m *testing.M) {
	n, err := strconv.ParseUint(os.Getenv(proberVar), 10, 64)
	if err != nil {
		os.Exit(lab.RunTests(m))
	}
	packet, _ := transmit.Find("packet")
	if _, err := bare.Run(context.Background(), bare.Config{Destination: ground.Target(0), Sender: packet, Probes: n, Hops: 16}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func open(t *testing.T) *ground.Ground {
	t.Helper()
	lab.Skip(t)
	g, err := ground.Open(ground.Config{Seed: 1, Inline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return g
}

// sends is a command that sends all probes of its job, and then does more.
func sends(t *testing.T, more string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s={probes} %s && %s", proberVar, self, more)
}

// What contenders write is held against what they were answered.
func TestSuite(t *testing.T) {
	g := open(t)
	sent := uint64(7)
	suite := Suite(g, Config{
		Name: "test", Time: 20 * time.Millisecond, Rates: []float64{50_000, 0},
		Contenders: []Contender{
			{Name: "all", Paced: true, Command: sends(t, "seq {probes} > {output}")},
			{Name: "half", Command: sends(t, "echo '# head'; seq $(({probes} / 2))"), Cap: 20_000},
			{Name: "invents", Command: sends(t, "seq $(({probes} + 1)) > {output}"), Cap: 20_000},
			{Name: "fails", Command: sends(t, "echo went wrong >&2; exit 3"), Cap: 20_000},
			{Name: "strict", Strict: true, Command: sends(t, "seq {probes}; exit 4"), Cap: 20_000},
			{Name: "lies", Strict: true, Command: sends(t, "true"), Cap: 20_000, Count: func(Run) (Tally, error) { return Tally{Sent: &sent}, nil }},
			{Name: "idle", Command: "true"},
			{Name: "away", Missing: "not installed"},
		},
	})
	table, err := suite.Run(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		Name, Asked       string
		Probes, Kept      float64
		Notes, Problems   string
		CPU, Memory, Rate bool
	}
	var got []outcome
	for _, r := range table.Rows {
		value := func(key string) float64 { s, _ := r.Spread(key); return s.Median }
		got = append(got, outcome{
			r.Labels[0], r.Labels[1], value("probes"), value("complete_percent"),
			strings.Join(r.Notes, "; "), strings.Join(r.Problems, "; "),
			value("cpu_s_per_million") > 0, value("peak_mib") > 0, value("rate_pps") > 0,
		})
	}
	want := []outcome{
		{"all", "50000", 992, 100, "", "", true, true, true},
		{"all", "max", 6000, 100, "", "", true, true, true},
		{"half", "max", 400, 50, "", "", true, true, true},
		{"invents", "max", 400, 100.25, "it wrote 401 replies, and was sent 400", "", true, true, true},
		{"fails", "max", 400, 0, "exit status 3: went wrong", "", true, true, true},
		{"strict", "max", 400, 100, "", "exit status 4: ", true, true, true},
		{"lies", "max", 400, 0, "", "it tells of 7 probes, the simulated Internet counted 400", true, true, true},
		{"idle", "max", 0, 0, "it sent nothing", "", false, true, false},
		{"away", "max", 0, 0, "", "", false, false, false},
	}
	for i := range got {
		got[i].Memory = got[i].Memory || i == 7 // it may end before it is looked at
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJudge(t *testing.T) {
	sent := uint64(10)
	for _, c := range []struct {
		name  string
		truth ground.Truth
		tally Tally
		want  string
	}{
		{"all is well", ground.Truth{Asked: 10, Answered: 10, Left: 11, Other: 1}, Tally{Records: 10, Sent: &sent}, ""},
		{"lost on the way", ground.Truth{Asked: 8, Answered: 8, Left: 10}, Tally{Records: 8}, "2 of 10 frames never reached"},
		{"more than left", ground.Truth{Asked: 8, Answered: 8, Left: 7}, Tally{Records: 8}, "saw 8 frames, the interface sent 7"},
		{"not answered", ground.Truth{Asked: 8, Answered: 7, Failed: 1, Left: 8}, Tally{Records: 7}, "1 of 8 probes were not answered, 1 because"},
		{"wrote too much", ground.Truth{Asked: 8, Answered: 8, Left: 8}, Tally{Records: 9}, "wrote 9 replies, and was sent 8"},
		{"another number", ground.Truth{Asked: 8, Answered: 8, Left: 8}, Tally{Records: 8, Sent: &sent}, "tells of 10 probes"},
	} {
		for _, strict := range []bool{false, true} {
			var s measure.Sample
			judge(&s, &Contender{Strict: strict}, &Run{}, &c.truth, &c.tally)
			said, silent := s.Notes, s.Problems
			if strict {
				said, silent = silent, said
			}
			if got := strings.Join(said, "; "); !strings.Contains(got, c.want) || c.want == "" && got != "" || len(silent) > 0 {
				t.Errorf("%s, strict %t: says %q and %q, want %q", c.name, strict, said, silent, c.want)
			}
		}
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name      string
		contender Contender
		rate      float64
		want      int
	}{
		{"asked", Contender{}, 16_000, 1000},
		{"as fast as it goes", Contender{}, 0, MaxRate / 16},
		{"cap", Contender{Cap: 160}, 0, 10},
		{"asked above the cap", Contender{Cap: 160}, 16_000, 10},
		{"asked below the cap", Contender{Cap: 16_000}, 160, 10},
		{"one each", Contender{PerTarget: 1}, 1000, 1000},
		{"power of two", Contender{PerTarget: 1, Power2: true}, 1000, 512},
		{"never none", Contender{Cap: 1}, 0, 1},
		{"never more than there are", Contender{PerTarget: 1}, 1e9, ground.MaxTargets},
	} {
		if got := c.contender.plan(c.rate, 1, 16); got.Targets != c.want || got.Rate != c.rate {
			t.Errorf("%s: %+v, want %d targets", c.name, got, c.want)
		}
	}
}

func TestParsePeer(t *testing.T) {
	c, err := ParsePeer(" mine = prog -x=1 -r {rate} ")
	if diff := cmp.Diff(Contender{Name: "mine", Command: "prog -x=1 -r {rate}", Paced: true}, c); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if c, err := ParsePeer("a=b"); err != nil || c.Paced {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"", "a", "=b", "a=", " = "} {
		if _, err := ParsePeer(bad); err == nil {
			t.Errorf("%q is a peer", bad)
		}
	}
}

// Every placeholder that users are told of is filled in.
func TestExpand(t *testing.T) {
	g := open(t)
	c := Contender{Command: Placeholders + "{gateway-dashes}", Top: "fast"}
	if got := c.expand(g, Job{Targets: 3}, "/t", "/o"); strings.ContainsAny(got, "{}") || !strings.Contains(got, "fast") {
		t.Errorf("left over: %s", got)
	}
}
