package survey

import (
	"errors"
	"fmt"
	"math"

	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// The strategies can be kept and gone on with. Save appends what a strategy
// knows to b; aloft are the tags of the probes in flight, which the one that
// goes on will send again. Restore takes it into a strategy that was made with
// the same Config and has planned nothing yet; what it is given may come from
// anywhere. Save is for the moments when Plan may be called.

var errUsed = errors.New("restore: the strategy has begun")

func damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("restore: %w", err)
}

// saveTags appends the tags of probes that are to be sent again.
func (p *plan) saveTags(b []byte, aloft []int, again *fifo[int]) []byte {
	b = pack.Uint(b, uint64(len(aloft)+again.n+p.waiting()))
	if p.back != nil {
		p.back.each(func(tag int) { b = pack.Uint(b, uint64(tag)) })
	}
	for _, tag := range aloft {
		b = pack.Uint(b, uint64(tag))
	}
	for i := range again.n {
		b = pack.Uint(b, uint64(again.at(i)))
	}
	return b
}

// restoreTags takes them in, if they are good.
func restoreTags(r *pack.Reader, again *fifo[int], good func(tag uint64) bool) {
	for range r.Count(1) {
		tag := r.Uint(math.MaxInt64)
		if r.Err() == nil && !good(tag) {
			r.Fail(fmt.Errorf("no probe has the tag %d", tag))
		}
		again.put(int(tag))
	}
}

// Save appends what is known: how many probes have left, and which of them are
// not settled.
func (r *Random) Save(b []byte, aloft []int) []byte {
	return r.saveTags(pack.Uint(b, r.sent), aloft, &r.again)
}

// Restore takes it in.
func (r *Random) Restore(data []byte) error {
	if r.sent != 0 {
		return errUsed
	}
	in := pack.NewReader(data)
	r.sent = in.Uint(r.end)
	restoreTags(in, &r.again, func(tag uint64) bool {
		if tag >= r.order.Len() {
			return false
		}
		place := r.order.Place(tag)
		return place%r.Shards == r.Shard && place/r.Shards < r.sent
	})
	return damaged(in.End())
}
