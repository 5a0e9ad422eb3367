// Package plot draws the tables of contests: rate against completeness and CPU
// time, a line for each contender.
package plot

import (
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/hopquote/hopquote/bench/measure"
)

// Keys that the axes show.
const (
	rateKey     = "rate_pps"
	completeKey = "complete_percent"
)

// cpuKeys are the figures of CPU time; a table has one of them.
var cpuKeys = []string{"cpu_s_per_million", "cpu_ns"}

// Size of the drawing.
const (
	width  = 20 * vg.Centimeter
	height = 20 * vg.Centimeter
	gap    = 4 * vg.Millimeter
)

// Can tells whether a table has what the drawing needs.
func Can(t *measure.Table) bool {
	return len(lines(t, completeKey)) > 0 && cpuFigure(t) != nil
}

// cpuFigure is the CPU column of a table, nil if it has none.
func cpuFigure(t *measure.Table) *measure.Figure {
	for i := range t.Figures {
		for _, k := range cpuKeys {
			if t.Figures[i].Key == k {
				return &t.Figures[i]
			}
		}
	}
	return nil
}

// WriteSVG draws a table that Can be drawn.
func WriteSVG(w io.Writer, t *measure.Table) error {
	cpu := cpuFigure(t)
	if cpu == nil {
		return fmt.Errorf("plot: table %s has no CPU time", t.Name)
	}
	above, err := panel(t, completeKey, "kept, %")
	if err != nil {
		return err
	}
	above.Title.Text = t.Name + ": " + t.Title
	above.Y.Min, above.Y.Max = 0, 102
	below, err := panel(t, cpu.Key, cpu.Title)
	if err != nil {
		return err
	}
	if below.Y.Min > 0 {
		below.Y.Scale, below.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		below.Y.Min, below.Y.Max = below.Y.Min*0.8, below.Y.Max*1.25
	}
	below.X.Label.Text = "measured rate, a second"
	above.Legend.Left, above.Legend.XOffs = true, gap
	below.Legend = plot.NewLegend() // that of above is enough
	canvas := vgsvg.New(width, height)
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap, PadY: gap}
	parts := plot.Align([][]*plot.Plot{{above}, {below}}, tiles, draw.New(canvas))
	above.Draw(parts[0][0])
	below.Draw(parts[1][0])
	_, err = canvas.WriteTo(w)
	return err
}

// panel is one figure over the rate, whose axis is logarithmic: contenders lie
// far apart.
func panel(t *measure.Table, key, title string) (*plot.Plot, error) {
	p := plot.New()
	p.Y.Label.Text = title
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	var args []any
	for _, l := range lines(t, key) {
		args = append(args, l.name, l.points)
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("plot: table %s has no %s", t.Name, key)
	}
	if err := plotutil.AddLinePoints(p, args...); err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	p.X.Min, p.X.Max = p.X.Min*0.8, p.X.Max*1.25 // a single point has a width, too
	return p, nil
}

// line is one contender.
type line struct {
	name   string
	points plotter.XYs
}

// lines are the medians of a figure over those of the rate.
func lines(t *measure.Table, key string) (list []line) {
	at := make(map[string]int)
	for i := range t.Rows {
		r := &t.Rows[i]
		x, hasRate := r.Spread(rateKey)
		y, hasFigure := r.Spread(key)
		if !hasRate || !hasFigure || x.Median <= 0 {
			continue
		}
		name := r.Labels[0]
		n, known := at[name]
		if !known {
			n, at[name] = len(list), len(list)
			list = append(list, line{name: name})
		}
		list[n].points = append(list[n].points, plotter.XY{X: x.Median, Y: y.Median})
	}
	return list
}
