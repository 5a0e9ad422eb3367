// Package view prints what package quotes found, as text, JSONL and CSV. A
// table is described once for all three.
package view

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// The formats.
const (
	Text  = "text"
	JSONL = "jsonl"
	CSV   = "csv"
)

// column is one column of a table.
type column struct {
	name  string // in JSONL and CSV; units at its end
	title string // in text; "" leaves the column out there
	left  bool   // aligned to the left
}

// table is one table. Values are numbers, strings, lists of strings,
// addresses, durations (ns; ms in text), times, booleans, field lists, or nil.
type table struct {
	name    string // of a row, in JSONL
	heading string // in text
	columns []column
	rows    [][]any
	note    string // in text, below it
}

// width is where lines of text end unless they are to be wide.
const width = 80

// writeText prints the table in aligned columns.
func (t *table) writeText(w io.Writer, wide bool) {
	var cells [][]string
	head := []string{}
	var shown []int
	for i, c := range t.columns {
		if c.title != "" {
			shown = append(shown, i)
			head = append(head, c.title)
		}
	}
	cells = append(cells, head)
	for _, row := range t.rows {
		line := make([]string, len(shown))
		for k, i := range shown {
			line[k] = textOf(row[i])
		}
		cells = append(cells, line)
	}
	size := make([]int, len(shown))
	for _, line := range cells {
		for k, s := range line {
			size[k] = max(size[k], utf8.RuneCountInString(s))
		}
	}
	fmt.Fprintf(w, "\n%s\n", t.heading)
	for _, line := range cells {
		var b strings.Builder
		for k, s := range line {
			pad := strings.Repeat(" ", size[k]-utf8.RuneCountInString(s))
			b.WriteString("  ")
			if t.columns[shown[k]].left {
				b.WriteString(s + pad)
			} else {
				b.WriteString(pad + s)
			}
		}
		fmt.Fprintln(w, cut(strings.TrimRight(b.String(), " "), wide))
	}
	if t.note != "" {
		fmt.Fprintln(w, "  "+t.note)
	}
}

func cut(s string, wide bool) string {
	if r := []rune(s); !wide && len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

func (t *table) writeJSONL(w io.Writer) error {
	for _, row := range t.rows {
		if err := t.writeJSON(w, row); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON prints one row as an object with its columns in their order.
func (t *table) writeJSON(w io.Writer, row []any) error {
	b := fmt.Appendf(nil, `{"type":%q`, t.name)
	for i, c := range t.columns {
		v, err := json.Marshal(machine(row[i]))
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		b = fmt.Appendf(b, ",%q:%s", c.name, v)
	}
	_, err := w.Write(append(b, '}', '\n'))
	return err
}

func (t *table) header() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func csvRow(row []any) []string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = csvOf(v)
	}
	return cells
}

func (t *table) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write(t.header())
	for _, row := range t.rows {
		_ = c.Write(csvRow(row))
	}
	c.Flush()
	return c.Error()
}

// machine gives a value as JSON has it.
func machine(v any) any {
	switch v := v.(type) {
	case netip.Addr:
		if !v.IsValid() {
			return nil
		}
		return v.String()
	case time.Duration:
		return int64(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []string:
		if v == nil {
			return []string{}
		}
	case fieldList:
		if v == nil {
			return fieldList{}
		}
	}
	return v
}

func csvOf(v any) string {
	switch v := machine(v).(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, " ")
	case fieldList:
		return v.String()
	case float64:
		return fmt.Sprintf("%.6f", v)
	default:
		return fmt.Sprint(v)
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return fmt.Sprintf("%.3f", float64(v)/float64(time.Millisecond))
	case float64:
		return fmt.Sprintf("%.3f", v)
	case []string:
		return strings.Join(v, ",")
	}
	if s := csvOf(v); s != "" {
		return s
	}
	return "-"
}
