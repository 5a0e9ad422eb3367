package rx

import "github.com/hopquote/hopquote/frame"

// clues lead to the probes of a Table by one thing that a quote still tells when
// its ports were rewritten or many probes share them. They are chains behind an
// array of heads, through entry.nextClue. Probes without the clue are in none.
type clues struct {
	heads []int32
	count int
}

// The clues of a probe.
const (
	clueIdentity = iota // IPv4 identification, IPv6 Mark
	clueWord            // TCP sequence, checksum
	cluesOf
)

const (
	firstHeads = 1 << 8
	mostHeads  = 1 << 20
	perHead    = 2
	// mostSteps bounds how many probes are looked at in one chain.
	mostSteps = 256
)

// clue gives a clue of a probe, and whether it has it.
func (e *entry) clue(which int) (uint64, bool) {
	switch {
	case e.method == frame.Raw:
		return 0, false
	case which == clueIdentity && !e.v6:
		return uint64(e.id), true
	case which == clueIdentity:
		return uint64(e.mark), e.marked
	case e.method == frame.TCP:
		return uint64(e.seq), true
	case e.method == frame.ICMP:
		return 0, false // its checksum is that of all its flow
	}
	return uint64(e.sum), e.summed
}

// clueIn gives a clue in a quote, and whether it is there.
func clueIn(which int, q *frame.Quote) (uint64, bool) {
	switch {
	case which == clueIdentity && q.Src.Is4():
		return uint64(q.ID), true
	case which == clueIdentity:
		return uint64(q.Mark), q.Marked
	case q.Transport < minTransport || q.Fragment || q.Method == frame.ICMP:
		return 0, false
	case q.Method == frame.TCP:
		return uint64(q.Seq), true
	}
	return uint64(q.Checksum), true
}

func (c *clues) place(clue uint64) int {
	return int(clue * 0x9e3779b97f4a7c15 >> 40 & uint64(len(c.heads)-1))
}

// first gives the first entry of the chain that the clue is in, none for none.
func (c *clues) first(clue uint64) int32 {
	if len(c.heads) == 0 {
		return none
	}
	return c.heads[c.place(clue)]
}

// file puts the entry at the head of its clues' chains.
func (t *Table) file(i int32) {
	e := &t.entries[i]
	for which := range t.clues {
		clue, ok := e.clue(which)
		if !ok {
			continue
		}
		c := &t.clues[which]
		if c.count >= perHead*len(c.heads) && len(c.heads) < mostHeads {
			t.refile(which)
		}
		c.count++
		head := &c.heads[c.place(clue)]
		e.nextClue[which] = *head
		*head = i
	}
}

// refile spreads all entries over more heads.
func (t *Table) refile(which int) {
	c := &t.clues[which]
	old := c.heads
	c.heads = make([]int32, max(firstHeads, 2*len(old)))
	for i := range c.heads {
		c.heads[i] = none
	}
	for _, i := range old {
		for i != none {
			e := &t.entries[i]
			next := e.nextClue[which]
			clue, _ := e.clue(which)
			head := &c.heads[c.place(clue)]
			e.nextClue[which], *head = *head, i
			i = next
		}
	}
}

// unfile takes the entry out.
func (t *Table) unfile(i int32) {
	for which := range t.clues {
		clue, ok := t.entries[i].clue(which)
		if !ok {
			continue
		}
		at := &t.clues[which].heads[t.clues[which].place(clue)]
		for *at != i {
			at = &t.entries[*at].nextClue[which]
		}
		*at = t.entries[i].nextClue[which]
		t.clues[which].count--
	}
}
