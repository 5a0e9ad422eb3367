package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/hopquote/hopquote/bench/measure"
)

// WriteText writes the report as tables for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	out := &strings.Builder{}
	for _, line := range r.facts() {
		fmt.Fprintf(out, "%s\n", line)
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(out, "\n%s: %s\n", t.Name, t.Title)
		columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, cells := range grid(t) {
			fmt.Fprintln(columns, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
		}
		if err := columns.Flush(); err != nil {
			return err
		}
		for _, line := range remarks(t) {
			fmt.Fprintf(out, "  %s\n", line)
		}
	}
	fmt.Fprintf(out, "\n%s\n", r.repeat())
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteMarkdown writes the report as a document with tables.
func (r *Report) WriteMarkdown(w io.Writer) error {
	out := &strings.Builder{}
	fmt.Fprint(out, "# hopquote bench\n\n")
	for _, line := range r.facts() {
		fmt.Fprintf(out, "- %s\n", line)
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(out, "\n## %s: %s\n\n", t.Name, t.Title)
		for n, cells := range grid(t) {
			for c := range cells {
				cells[c] = strings.ReplaceAll(cells[c], "|", `\|`)
			}
			fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
			if n == 0 {
				fmt.Fprintf(out, "|%s\n", strings.Repeat(" --- |", len(cells)))
			}
		}
		for n, line := range remarks(t) {
			if n == 0 {
				fmt.Fprintln(out)
			}
			fmt.Fprintf(out, "- %s\n", line)
		}
	}
	fmt.Fprintf(out, "\n%s\n", r.repeat())
	_, err := io.WriteString(w, out.String())
	return err
}

// facts are what stands above the tables.
func (r *Report) facts() []string {
	m := r.Machine
	jit := "off"
	if m.BPFJIT {
		jit = "on"
	}
	backlog := "not to be seen from here"
	if m.Backlog > 0 {
		backlog = fmt.Sprintf("%d frames", m.Backlog)
	}
	lines := []string{
		fmt.Sprintf("machine: %s, CPUs: %d, Linux %s (preemption: %s), %s", m.CPU, m.CPUs, m.Kernel, m.Preempt, m.Go),
		fmt.Sprintf("load average at the start: %.2f %.2f %.2f; BPF JIT %s; checksum offload of the links off; backlog %s; spectre_v2: %s",
			m.Load[0], m.Load[1], m.Load[2], jit, backlog, m.Mitigations),
	}
	if in := r.Internet; in != nil {
		line := "simulated Internet: in " + in.Form
		if in.CPUs != 0 {
			line += fmt.Sprintf(", answered by CPUs %#x, backlog %d frames", in.CPUs, in.Backlog)
		} else {
			line += ", answered by the CPU that sends"
			if in.Inline != "" {
				line += ", which is slower: " + in.Inline
			}
		}
		if in.Reason != "" {
			line += "; not in the kernel: " + in.Reason
		}
		lines = append(lines, line)
	}
	return append(lines, fmt.Sprintf("%s, seed %d, %s: medians of %s (min-max), the rows of a table measured in turns",
		r.Start.UTC().Format("2006-01-02 15:04:05 UTC"), r.Seed, r.Version, rounds(r.Rounds)))
}

func rounds(n int) string {
	if n == 1 {
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", n)
}

// repeat is the last line.
func (r *Report) repeat() string {
	line := "repeat: " + CommandLine(r.Command)
	if r.Error != "" {
		line = "ended early: " + r.Error + "\n" + line
	}
	return line
}

// grid is a table as cells, the head first. Details, and figures that no row
// has, are left out.
func grid(t *measure.Table) [][]string {
	var figures []measure.Figure
	for _, f := range t.Figures {
		for i := range t.Rows {
			if f.Detail {
				break
			}
			if _, ok := t.Rows[i].Spread(f.Key); ok {
				figures = append(figures, f)
				break
			}
		}
	}
	head := append([]string(nil), t.Labels...)
	for _, f := range figures {
		head = append(head, f.Title)
	}
	cells := [][]string{head}
	for i := range t.Rows {
		r := &t.Rows[i]
		line := append([]string(nil), r.Labels...)
		for _, f := range figures {
			line = append(line, cell(r, f))
		}
		cells = append(cells, line)
	}
	return cells
}

// cell is the median and, unless all rounds agree in what is shown of them, the
// range.
func cell(r *measure.Row, f measure.Figure) string {
	s, ok := r.Spread(f.Key)
	if !ok {
		return "-"
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', f.Digits, 64) }
	median, low, high := number(s.Median), number(s.Min), number(s.Max)
	if low == high {
		return median
	}
	return fmt.Sprintf("%s (%s-%s)", median, low, high)
}

// remarks are what the rows of a table have to say.
func remarks(t *measure.Table) (lines []string) {
	for i := range t.Rows {
		r := &t.Rows[i]
		name := strings.Join(r.Labels, " ")
		if r.Skipped != "" {
			lines = append(lines, fmt.Sprintf("%s: not run: %s", name, r.Skipped))
		}
		for _, p := range r.Problems {
			lines = append(lines, fmt.Sprintf("%s: FAILED: %s", name, p))
		}
		for _, n := range r.Notes {
			lines = append(lines, fmt.Sprintf("%s: %s", name, n))
		}
	}
	said := make(map[string]bool)
	for i := range t.Rows {
		if c := t.Rows[i].Command; c != "" && !said[c] {
			said[c] = true
			lines = append(lines, fmt.Sprintf("%s: $ %s", t.Rows[i].Labels[0], c))
		}
	}
	return lines
}

// CommandLine is a command as a shell takes it.
func CommandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$\\|&;<>()*?[]{}~#!") {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
