package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/measure"
)

func row(name, asked string, rate, kept, cpu float64) measure.Row {
	return measure.Row{Labels: []string{name, asked}, Values: map[string][]float64{
		"rate_pps": {rate}, "complete_percent": {kept}, "cpu_s_per_million": {cpu},
	}}
}

func sample() *measure.Table {
	return &measure.Table{
		Name: "peers", Title: "side <by> side", Labels: []string{"prober", "asked"},
		Figures: []measure.Figure{{Key: "rate_pps"}, {Key: "complete_percent"}, {Key: "cpu_s_per_million", Title: "CPU"}},
		Rows: []measure.Row{
			row("ours & co", "10000", 10_000, 100, 5), row("ours & co", "max", 300_000, 99.9, 4), row("slow", "max", 170, 100, 700),
			{Labels: []string{"away", "max"}, Skipped: "not installed"},
		},
	}
}

// The drawing is well-formed XML with every contender that has points.
func TestSVG(t *testing.T) {
	table := sample()
	if !Can(table) {
		t.Fatal("the table cannot be drawn")
	}
	var b bytes.Buffer
	if err := WriteSVG(&b, table); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	var text strings.Builder
	root := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if root == "" {
				root = token.Name.Local
			}
		case xml.CharData:
			text.Write(token)
		}
	}
	if root != "svg" {
		t.Errorf("root element %q, want svg", root)
	}
	for _, want := range []string{"side <by> side", "ours & co", "slow", "kept, %", "CPU", "measured rate"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the drawing does not say %q", want)
		}
	}
	if strings.Contains(text.String(), "away") {
		t.Error("the drawing has a contender without points")
	}
}

func TestCan(t *testing.T) {
	table := sample()
	table.Rows = table.Rows[3:]
	if Can(table) {
		t.Error("a table without points can be drawn")
	}
	if err := WriteSVG(io.Discard, table); err == nil {
		t.Error("a table without points is no error")
	}
	table = sample()
	table.Figures = table.Figures[:2]
	if Can(table) || WriteSVG(io.Discard, table) == nil {
		t.Error("a table without CPU time can be drawn")
	}
}
