package surveys

import (
	"bufio"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"

	"github.com/hopquote/hopquote/bench/ground"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// Set is what is probed: addresses beside each other, or one of each /24.
type Set struct {
	N     int
	Dense bool
	Seed  uint64 // decides which of each /24
}

// MaxTargets is how many there may be: with a /24 each, they end below 84.0.0.0,
// and all are globally reachable addresses.
const MaxTargets = ground.MaxTargets

// ends are the first and the last address of the range that holds the first n
// targets, and no others.
func (s Set) ends(n int) (first, last netip.Addr) {
	size := 1 << 8
	if s.Dense {
		size = 1
	}
	b := ground.Target(0).As4()
	end := uint32(b[0])<<24 + uint32(n*size-1)
	return ground.Target(0), netip.AddrFrom4([4]byte{byte(end >> 24), byte(end >> 16), byte(end >> 8), byte(end)})
}

// words tell hopquote survey of the first n targets. They take no memory for
// each, as a list of them would.
func (s Set) words(n int) string {
	first, last := s.ends(n)
	if s.Dense {
		return fmt.Sprintf("%s-%s", first, last)
	}
	return fmt.Sprintf("--per-prefix 24 %s-%s", first, last)
}

// all gives the first n targets, the same that words lead to.
func (s Set) all(n int) (iter.Seq[netip.Addr], error) {
	first, last := s.ends(n)
	var b space.Builder
	if err := b.Add(first, last); err != nil {
		return nil, err
	}
	var how space.Sampling
	if !s.Dense {
		how = space.Sampling{PerPrefix: true, Bits4: 24, Bits6: 48, Key: s.Seed}
	}
	targets, err := b.Build(how)
	if err != nil {
		return nil, err
	}
	if targets.Len() != uint64(n) {
		return nil, fmt.Errorf("%d targets, want %d", targets.Len(), n)
	}
	return func(yield func(netip.Addr) bool) {
		for i := range targets.Len() {
			if !yield(targets.At(i)) {
				return
			}
		}
	}, nil
}

// write writes the first n targets to a file, one a line.
func (s Set) write(path string, n int) (err error) {
	targets, err := s.all(n)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriter(f)
	var line []byte
	for t := range targets {
		line = append(t.AppendTo(line[:0]), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}
