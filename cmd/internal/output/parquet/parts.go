package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// rowsPerPart is how many rows a file has at most, which is what is held in
// memory: some tens of megabytes.
const rowsPerPart = rowsPerGroup

// parts writes replies to one file after the other. The rows of the last one
// are held in memory; it is written as a whole, under another name first, when
// it is full or what there is has to be kept.
type parts struct {
	path  string
	run   *record.Run
	epoch epoch
	part  int // the one under way
	rows  []Row
	kept  int // how many of them the file has
}

// partState is what a run that goes on has to know.
type partState struct {
	Part int
	Rows int // of the last part
}

func newParts(path string, run *record.Run, state []byte) (record.Keeper, error) {
	p := &parts{path: path, run: run, epoch: epoch(run.Start.UnixNano()), rows: make([]Row, 0, rowsPerWrite)}
	var s partState
	if state != nil {
		if err := json.Unmarshal(state, &s); err != nil || s.Part < 0 || s.Rows < 0 || s.Rows > rowsPerPart {
			return nil, errors.New("the checkpoint does not tell how far it was")
		}
	}
	p.part = s.Part
	if s.Rows > 0 {
		rows, err := parquetgo.ReadFile[Row](p.name(s.Part))
		if err != nil {
			return nil, err
		}
		if len(rows) < s.Rows {
			return nil, fmt.Errorf("%s has %d rows, and had %d at the checkpoint", p.name(s.Part), len(rows), s.Rows)
		}
		p.rows, p.kept = append(p.rows, rows[:s.Rows]...), len(rows)
	}
	if _, err := os.Stat(p.path); state == nil && err != nil {
		if _, err := os.Stat(p.name(1)); err == nil {
			return nil, fmt.Errorf("%s is there already, of another run", p.name(1))
		}
	}
	// What came after the checkpoint, or of a run that is written over, goes.
	for n := s.Part + min(s.Rows, 1); ; n++ {
		err := os.Remove(p.name(n))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if state == nil {
		// Better no survey than one that finds out at its end.
		return p, p.write()
	}
	return p, nil
}

// name gives a part's file: the path, and then the path with a number before
// its suffix.
func (p *parts) name(part int) string {
	if part == 0 {
		return p.path
	}
	suffix := filepath.Ext(p.path)
	return fmt.Sprintf("%s.%04d%s", strings.TrimSuffix(p.path, suffix), part, suffix)
}

// Reply adds a row.
func (p *parts) Reply(r *record.Reply) error {
	p.rows = append(p.rows, p.epoch.row(r))
	if len(p.rows) < rowsPerPart {
		return nil
	}
	if err := p.write(); err != nil {
		return err
	}
	p.part++
	p.rows, p.kept = p.rows[:0], 0
	return nil
}

// Keep writes the rows that no file has yet.
func (p *parts) Keep() ([]byte, error) {
	if len(p.rows) != p.kept {
		if err := p.write(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(partState{p.part, len(p.rows)})
}

// Close writes what is left; where there is nothing at all, a file without rows.
func (p *parts) Close(*record.End) error {
	if len(p.rows) == p.kept && (p.part > 0 || p.kept > 0) {
		return nil
	}
	return p.write()
}

// write makes the file of the part under way anew.
func (p *parts) write() error {
	name := p.name(p.part)
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return err
	}
	out := newFile(f, p.run)
	_, err = out.Write(p.rows)
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	p.kept = len(p.rows)
	return nil
}
