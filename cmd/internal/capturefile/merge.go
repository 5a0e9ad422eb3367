package capturefile

import "io"

// Merge reads several captures as one, in the order of their packets' times.
// A file that turns out damaged ends there, the others go on.
type Merge struct {
	files  []*Reader
	heads  []Packet
	live   []bool
	last   int // file whose packet was handed out; it is read on first
	Damage []*Damage
}

// NewMerge merges the readers, which have given no packet yet.
func NewMerge(files []*Reader) *Merge {
	m := &Merge{files: files, heads: make([]Packet, len(files)), live: make([]bool, len(files)), last: -1}
	for i := range files {
		m.advance(i)
	}
	return m
}

func (m *Merge) advance(i int) {
	err := m.files[i].Next(&m.heads[i])
	m.live[i] = err == nil
	if d, ok := err.(*Damage); ok {
		m.Damage = append(m.Damage, d)
	}
}

// Next gives the next packet, valid until the next call, or io.EOF. Interfaces
// of different files have different numbers.
func (m *Merge) Next(p *Packet) error {
	if m.last >= 0 {
		m.advance(m.last)
	}
	m.last = -1
	for i := range m.files {
		if m.live[i] && (m.last < 0 || m.heads[i].At < m.heads[m.last].At) {
			m.last = i
		}
	}
	if m.last < 0 {
		return io.EOF
	}
	*p = m.heads[m.last]
	p.Interface += m.last << 32
	return nil
}
