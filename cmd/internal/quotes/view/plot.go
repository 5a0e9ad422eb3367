package view

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"

	"gonum.org/v1/plot/vg/draw"

	"github.com/hopquote/hopquote/rx/attribute"
)

// Plot draws precision and recall of each key, two bars a key, into an SVG
// file.
func Plot(path string, scores []attribute.KeyScore) error {
	p := plot.New()
	p.Title.Text = "Replies attributed by each key alone"
	p.X.Label.Text = "share"
	p.X.Min, p.X.Max = 0, 1
	p.Legend.Top = true
	p.Legend.YOffs = vg.Points(20)

	n := len(scores)
	names := make([]string, n)
	precision, recall := make(plotter.Values, n), make(plotter.Values, n)
	for i := range scores {
		k := &scores[n-1-i] // the first one on top
		s := k.Errors
		s.Add(&k.Answers)
		names[i], precision[i], recall[i] = k.Key.Name, s.Precision(), s.Recall()
	}
	const thick = 6
	for i, set := range []struct {
		name   string
		values plotter.Values
		color  color.Color
	}{
		{"recall", recall, color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}},
		{"precision", precision, color.RGBA{R: 0xff, G: 0x7f, B: 0x0e, A: 0xff}},
	} {
		bars, err := plotter.NewBarChart(set.values, vg.Points(thick))
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		bars.Horizontal, bars.Color, bars.LineStyle.Width = true, set.color, 0
		bars.Offset = vg.Points(thick * (float64(i) - 0.5))
		p.Add(bars)
		p.Legend.Add(set.name, bars)
	}
	p.NominalY(names...)

	canvas := vgsvg.New(7*vg.Inch, vg.Points(float64(100+n*(2*thick+6))))
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return fmt.Errorf("write plot %s: %w", path, err)
	}
	return nil
}
