package score

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Schema names the form of the lines.
const Schema = "hopquote.truth/1"

type header struct {
	Schema string `json:"schema"`
}

// Write writes paths as JSON lines, after one that names the schema.
func Write(w io.Writer, paths iter.Seq[Path]) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	if err := e.Encode(header{Schema}); err != nil {
		return fmt.Errorf("score: write the truth: %w", err)
	}
	for p := range paths {
		if err := e.Encode(p); err != nil {
			return fmt.Errorf("score: write the path to %s: %w", p.Target, err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("score: write the truth: %w", err)
	}
	return nil
}

// Read gives the paths of JSON lines. An error ends the sequence.
func Read(r io.Reader) iter.Seq2[Path, error] {
	return func(yield func(Path, error) bool) {
		d := json.NewDecoder(bufio.NewReader(r))
		var h header
		if err := d.Decode(&h); err != nil {
			yield(Path{}, fmt.Errorf("score: read the first line: %w", err))
			return
		}
		if h.Schema != Schema {
			yield(Path{}, fmt.Errorf("score: schema %q: must be %q", h.Schema, Schema))
			return
		}
		for n := 2; ; n++ {
			var p Path
			err := d.Decode(&p)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				err = p.check()
			}
			if err != nil {
				yield(Path{}, fmt.Errorf("score: read path %d: %w", n-1, err))
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// check finds what no path can be.
func (p *Path) check() error {
	last := p.Distance
	if p.End == Loop {
		last++
	}
	if !p.Target.IsValid() || p.Distance < 1 || last > 255 || len(p.Hops) != last {
		return fmt.Errorf("%s at distance %d with %d hops: must be an address, 1..255 and as many hops, one more in a loop", p.Target, p.Distance, len(p.Hops))
	}
	for i, h := range p.Hops {
		if h.TTL != i+1 {
			return fmt.Errorf("%s: hop %d has TTL %d", p.Target, i+1, h.TTL)
		}
	}
	return nil
}
