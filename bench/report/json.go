package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
)

// Schema names the JSON form. A key that is added keeps the name; one that goes
// or changes its meaning makes a new one.
const Schema = "hopquote.bench/1"

// document is a Report in JSON. Every key is always there, what is not known is
// null, and lists are never null.
type document struct {
	Schema   string    `json:"schema"`
	Program  string    `json:"program"`
	Version  string    `json:"version"`
	Command  []string  `json:"command_line"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Rounds   int       `json:"rounds"`
	Seed     uint64    `json:"seed"`
	Failed   bool      `json:"failed"`
	Error    *string   `json:"error"`
	Machine  facts     `json:"machine"`
	Internet *internet `json:"simulated_internet"`
	Tables   []table   `json:"tables"`
}

type facts struct {
	CPU         string     `json:"cpu_model"`
	CPUs        int        `json:"cpus"`
	Kernel      string     `json:"kernel"`
	Preempt     string     `json:"preemption"`
	Go          string     `json:"go"`
	Load        [3]float64 `json:"load_average"`
	BPFJIT      bool       `json:"bpf_jit"`
	Backlog     int        `json:"backlog_frames"`
	Mitigations string     `json:"spectre_v2"`
}

type internet struct {
	Form    string  `json:"form"`
	Reason  *string `json:"reason"`
	CPUs    uint64  `json:"cpu_mask"`
	Inline  *string `json:"inline_reason"`
	Backlog int     `json:"backlog_frames"`
}

type table struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Labels  []string `json:"labels"`
	Figures []figure `json:"figures"`
	Rows    []row    `json:"rows"`
}

type figure struct {
	Key   string `json:"key"`
	Title string `json:"title"`
}

type row struct {
	Labels   []string          `json:"labels"`
	Command  *string           `json:"command"`
	Skipped  *string           `json:"skipped"`
	Figures  map[string]spread `json:"figures"`
	Notes    []string          `json:"notes"`
	Problems []string          `json:"problems"`
}

type spread struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"`
}

// WriteJSON writes the report as one document.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r.document())
}

func (r *Report) document() document {
	m := r.Machine
	d := document{
		Schema: Schema, Program: "hopquote", Version: r.Version, Command: list(r.Command),
		Start: r.Start.UTC(), End: r.End.UTC(), Rounds: r.Rounds, Seed: r.Seed,
		Failed: r.Failed(), Error: known(r.Error),
		Machine: facts{m.CPU, m.CPUs, m.Kernel, m.Preempt, m.Go, m.Load, m.BPFJIT, m.Backlog, m.Mitigations},
		Tables:  []table{},
	}
	if in := r.Internet; in != nil {
		d.Internet = &internet{in.Form, known(in.Reason), in.CPUs, known(in.Inline), in.Backlog}
	}
	for i := range r.Tables {
		d.Tables = append(d.Tables, newTable(&r.Tables[i]))
	}
	return d
}

func newTable(t *measure.Table) table {
	j := table{Name: t.Name, Title: t.Title, Labels: list(t.Labels), Figures: []figure{}, Rows: []row{}}
	for _, f := range t.Figures {
		j.Figures = append(j.Figures, figure{f.Key, f.Title})
	}
	for i := range t.Rows {
		m := &t.Rows[i]
		r := row{
			Labels: list(m.Labels), Command: known(m.Command), Skipped: known(m.Skipped),
			Figures: make(map[string]spread), Notes: list(m.Notes), Problems: list(m.Problems),
		}
		for _, f := range t.Figures {
			if s, ok := m.Spread(f.Key); ok {
				r.Figures[f.Key] = spread{s.Median, s.Min, s.Max, m.Values[f.Key]}
			}
		}
		j.Rows = append(j.Rows, r)
	}
	return j
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
