package rx

import "github.com/hopquote/hopquote/frame"

// clues lead to the probes of a Table by what a quote still tells when its
// ports were rewritten: the IPv4 identification; over IPv6 the Mark or the TCP
// sequence number. Few replies need them, so they are chains behind an array of
// heads, not a map. Probes without a clue are in none.
type clues struct {
	heads []int32
	count int
}

const (
	firstHeads = 1 << 8
	mostHeads  = 1 << 20
	perHead    = 2
	// mostSteps bounds how many probes are looked at in one chain.
	mostSteps = 256
)

// clueOf gives the clue of a probe, and whether it has one.
func (e *entry) clue() (uint64, bool) {
	switch {
	case e.method == frame.Raw:
		return 0, false
	case !e.v6:
		return idClue(e.id), true
	case e.marked:
		return markClue(e.mark), true
	case e.method == frame.TCP:
		return markClue(e.seq), true
	}
	return 0, false
}

func idClue(id uint16) uint64     { return uint64(id) }
func markClue(mark uint32) uint64 { return 1<<32 | uint64(mark) }

func (c *clues) place(clue uint64) int {
	return int(clue * 0x9e3779b97f4a7c15 >> 40 & uint64(len(c.heads)-1))
}

// file puts the entry at the head of its clue's chain.
func (t *Table) file(i int32) {
	clue, ok := t.entries[i].clue()
	if !ok {
		return
	}
	c := &t.clues
	if c.count >= perHead*len(c.heads) && len(c.heads) < mostHeads {
		t.refile()
	}
	c.count++
	head := &c.heads[c.place(clue)]
	t.entries[i].nextClue = *head
	*head = i
}

// refile spreads all entries over more heads.
func (t *Table) refile() {
	c := &t.clues
	old := c.heads
	c.heads = make([]int32, max(firstHeads, 2*len(old)))
	for i := range c.heads {
		c.heads[i] = none
	}
	for _, i := range old {
		for i != none {
			e := &t.entries[i]
			next := e.nextClue
			clue, _ := e.clue()
			head := &c.heads[c.place(clue)]
			e.nextClue, *head = *head, i
			i = next
		}
	}
}

// unfile takes the entry out.
func (t *Table) unfile(i int32) {
	clue, ok := t.entries[i].clue()
	if !ok {
		return
	}
	at := &t.clues.heads[t.clues.place(clue)]
	for *at != i {
		at = &t.entries[*at].nextClue
	}
	*at = t.entries[i].nextClue
	t.clues.count--
}

// enterClue puts every probe with the clue to the contest, those of the key
// excepted, which are in it.
func (t *Table) enterClue(clue uint64, key frame.Key, q *frame.Quote, c *contest) {
	if len(t.clues.heads) == 0 {
		return
	}
	i := t.clues.heads[t.clues.place(clue)]
	for range mostSteps {
		if i == none {
			return
		}
		e := &t.entries[i]
		if own, _ := e.clue(); own == clue && e.key != key {
			route := t.routes[i]
			c.enter(uint32(i), e, e.weigh(q, &route))
		}
		i = e.nextClue
	}
}
