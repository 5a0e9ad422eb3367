package benchcmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/plot"
	"github.com/hopquote/hopquote/bench/report"
)

// drawPlots draws each table that has a rate. Where several suites were asked
// for, the table's name goes into the file's.
func drawPlots(o *options, r *report.Report) error {
	drawn := 0
	for i := range r.Tables {
		t := &r.Tables[i]
		if !hasPlot(t.Name) || !plot.Can(t) {
			continue
		}
		if err := drawPlot(plotFile(o, t), t); err != nil {
			return err
		}
		drawn++
	}
	if drawn == 0 {
		return errors.New("--plot: no row was measured that could be drawn")
	}
	return nil
}

func plotFile(o *options, t *measure.Table) string {
	if len(o.suites) == 1 {
		return o.plot
	}
	ext := filepath.Ext(o.plot)
	return strings.TrimSuffix(o.plot, ext) + "-" + t.Name + ext
}

func drawPlot(path string, t *measure.Table) error {
	var b bytes.Buffer
	if err := plot.WriteSVG(&b, t); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the plot: %w", err)
	}
	return nil
}
