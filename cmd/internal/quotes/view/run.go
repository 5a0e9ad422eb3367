package view

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/quotes/summary"
	"github.com/hopquote/hopquote/rx/attribute"
)

// Schema names the layout of the JSONL lines.
const Schema = "hopquote.quotes/1"

// Tables are the names of the tables that there are.
var Tables = []string{"totals", "verdicts", "anomalies", "ttls", "responders", "extensions", "rules", "keys", "replies"}

// defaultTables are those that text has unless told otherwise: what fits a
// screen or two.
var defaultTables = []string{"totals", "verdicts", "anomalies", "ttls", "responders", "extensions", "keys"}

// File is one capture that was read.
type File struct {
	Name                    string
	Packets, Bytes, Dropped uint64
}

// Run prints one run: each reply as it comes, and all else in the end.
type Run struct {
	Format   string
	Tables   []string // nil for the usual ones
	Limit    int      // rows of long tables, 0 for all
	Wide     bool
	Filtered bool
	Out      io.Writer

	// Set before End.
	Files       []File
	Damage      []string
	Interrupted string // the signal that ended the run before all was read
	First, Last int64  // ns since 1970, of the packets
	Counts      attribute.Counts
	Scores      []attribute.KeyScore
	Summary     *summary.Summary

	csv     *csv.Writer
	replies table
}

// shows tells whether a table is wanted.
func (w *Run) shows(name string) bool {
	if len(w.Tables) > 0 {
		return slices.Contains(w.Tables, name)
	}
	switch w.Format {
	case JSONL:
		return true
	case CSV:
		return name == "replies"
	}
	return slices.Contains(defaultTables, name)
}

// Reply prints a reply, if replies are wanted.
func (w *Run) Reply(r *attribute.Result) error {
	if !w.shows("replies") {
		return nil
	}
	if w.replies.columns == nil {
		w.begin()
	}
	row := replyRow(r)
	switch w.Format {
	case JSONL:
		return w.replies.writeJSON(w.Out, row)
	case CSV:
		return w.csv.Write(csvRow(row))
	}
	_, err := fmt.Fprintln(w.Out, cut(replyLine(r), w.Wide))
	return err
}

// begin prints what stands above the replies.
func (w *Run) begin() {
	w.replies = table{name: "reply", columns: replyColumns}
	switch w.Format {
	case CSV:
		w.csv = csv.NewWriter(w.Out)
		_ = w.csv.Write(w.replies.header())
	case Text:
		fmt.Fprintln(w.Out, replyHeading)
	}
}

// End prints the tables.
func (w *Run) End() error {
	if w.Format == CSV && w.shows("replies") {
		if w.csv == nil {
			w.begin()
		}
		w.csv.Flush()
		return w.csv.Error()
	}
	for _, t := range []struct {
		name  string
		table func() *table
	}{
		{"totals", w.totals}, {"verdicts", w.verdicts}, {"anomalies", w.anomalies}, {"ttls", w.ttls},
		{"responders", w.responders}, {"extensions", w.extensions}, {"rules", w.rules}, {"keys", w.keys},
	} {
		if !w.shows(t.name) {
			continue
		}
		var err error
		switch w.Format {
		case JSONL:
			err = t.table().writeJSONL(w.Out)
		case CSV:
			err = t.table().writeCSV(w.Out)
		default:
			if t.name == "totals" {
				w.writeTotals()
			} else if t := t.table(); len(t.rows) > 0 {
				t.writeText(w.Out, w.Wide)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// totals has one row: where the packets went.
func (w *Run) totals() *table {
	c := &w.Counts
	var bytes, dropped uint64
	var names []string
	for _, f := range w.Files {
		bytes += f.Bytes
		dropped += f.Dropped
		names = append(names, f.Name)
	}
	t := &table{name: "totals", columns: []column{
		{name: "schema"}, {name: "files"}, {name: "packets"}, {name: "bytes"}, {name: "start"}, {name: "end"},
		{name: "probes"}, {name: "replies"}, {name: "copies"}, {name: "other"}, {name: "shown"},
		{name: "forgotten_early"}, {name: "dropped_by_host"}, {name: "damage"}, {name: "interrupted"},
	}}
	var other uint64
	for _, n := range c.Other {
		other += n
	}
	row := []any{Schema, names, c.Packets, bytes, nil, nil,
		c.Probes, c.Received(), c.Copies, other, w.Summary.Replies, c.Crowded, dropped, w.Damage, optional(w.Interrupted)}
	if c.Packets > 0 {
		row[4], row[5] = time.Unix(0, w.First), time.Unix(0, w.Last)
	}
	for r := attribute.Reason(1); r < attribute.Reason(attribute.Reasons); r++ {
		t.columns = append(t.columns, column{name: "other_" + strings.ReplaceAll(r.String(), "-", "_")})
		row = append(row, c.Other[r])
	}
	t.rows = [][]any{row}
	return t
}

// writeTotals prints the same as text.
func (w *Run) writeTotals() {
	c := &w.Counts
	var bytes, dropped uint64
	for _, f := range w.Files {
		bytes += f.Bytes
		dropped += f.Dropped
	}
	what := "1 capture"
	if len(w.Files) != 1 {
		what = fmt.Sprintf("%d captures", len(w.Files))
	}
	span := time.Duration(w.Last - w.First).Round(time.Millisecond)
	fmt.Fprintf(w.Out, "%s: %d packets, %d bytes, %v\n", what, c.Packets, bytes, span)
	var other []string
	var sum uint64
	for r := attribute.Reason(1); r < attribute.Reason(attribute.Reasons); r++ {
		if n := c.Other[r]; n > 0 {
			other = append(other, fmt.Sprintf("%s %d", r, n))
			sum += n
		}
	}
	fmt.Fprintf(w.Out, "%d = %d probes + %d replies + %d copies + %d other", c.Packets, c.Probes, c.Received(), c.Copies, sum)
	if len(other) > 0 {
		fmt.Fprintf(w.Out, " (%s)", strings.Join(other, ", "))
	}
	fmt.Fprintln(w.Out)
	if c.Crowded > 0 {
		fmt.Fprintf(w.Out, "%d probes were forgotten before their time: --packets can be raised\n", c.Crowded)
	}
	if dropped > 0 {
		fmt.Fprintf(w.Out, "%d packets were lost by the host that captured\n", dropped)
	}
	if w.Filtered {
		fmt.Fprintf(w.Out, "%d of %d replies pass the filter; keys and the line above count all\n", w.Summary.Replies, c.Received())
	}
	for _, d := range w.Damage {
		fmt.Fprintf(w.Out, "damaged: %s\n", d)
	}
	if w.Interrupted != "" {
		fmt.Fprintf(w.Out, "ended by %s: what was read until then\n", w.Interrupted)
	}
}
