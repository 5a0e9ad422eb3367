package survey

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// replayed is a strategy that can be told what it was told before.
type replayed interface {
	kept
	Probe(tag int) *frame.Probe
	Replay(*Event) error
	Replayed()
}

// witness saves a strategy at one moment, writes down what it is told from then
// on, and ends it at another.
type witness struct {
	cut
	save   int // how many probes leave before the strategy is saved
	saved  func()
	events []Event
	aloft  map[int]bool // in flight at the end
	sent   []int
}

func (w *witness) Plan(pass *scheduler.Pass) {
	if w.state == nil && w.save <= 0 {
		w.state = w.Save([]byte{}, w.book.flying())
		w.saved()
	}
	if w.left <= 0 {
		w.aloft = map[int]bool{}
		for _, tag := range w.book.flying() {
			w.aloft[tag] = true
		}
		return
	}
	w.kept.Plan(pass)
}

func (w *witness) Sent(tag int, p *frame.Probe, at time.Duration) {
	w.save--
	w.sent = append(w.sent, tag)
	w.note(Event{Kind: Left, Tag: tag})
	w.cut.Sent(tag, p, at)
}

func (w *witness) Learn(m *rx.Match) {
	match, reply := *m, *m.Reply
	match.Tag, match.Origin, match.Reply = 0, rx.Origin{}, &reply
	w.note(Event{Kind: Learned, Tag: m.Tag, Match: &match})
	w.kept.Learn(m)
}

func (w *witness) Expired(tag int, o *rx.Origin) {
	w.note(Event{Kind: Expired, Tag: tag})
	w.kept.Expired(tag, o)
}

func (w *witness) note(e Event) {
	if w.state != nil {
		w.events = append(w.events, e)
	}
}

func (w *witness) Done() bool { return w.aloft != nil || w.kept.Done() }

// replay brings a new strategy to where the one was that w has seen.
func (w *witness) replay(r *rapid.T, s replayed) {
	if err := s.Restore(w.state); err != nil {
		r.Fatal(err)
	}
	for i := range w.events {
		if err := s.Replay(&w.events[i]); err != nil {
			r.Fatalf("event %d of %d: %v", i, len(w.events), err)
		}
	}
	s.Replayed()
}

// found is what a survey has given away.
type found struct {
	*answers
	stops map[Trace]Stop
}

func (f *found) clone() (map[point]netip.Addr, map[Trace]Stop) {
	return maps.Clone(f.first), maps.Clone(f.stops)
}

// A survey that ends without warning, and goes on from what it saved last and
// what it was told since, is where it was: it has found the same, sends nothing
// again but what was in flight, and misses nothing.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := draw(t, r)
		truth, mode, cfg := d.truth, d.mode, d.cfg
		twice := rapid.Bool().Draw(r, "twice")

		got := &found{newAnswers(t, truth, &cfg), map[Trace]Stop{}}
		cfg.Finish = func(trace Trace, why Stop) {
			if _, ok := got.stops[trace]; ok {
				r.Fatalf("%v finished twice", trace)
			}
			got.stops[trace] = why
		}
		left := map[int]bool{}  // tags of probes that left
		aloft := map[int]bool{} // where a run ended, and not sent again yet
		s := newKept(t, mode, cfg)
		for more := 1; ; more *= 2 {
			w := &witness{cut: cut{kept: s}}
			w.save = rapid.IntRange(0, 200).Draw(r, "save")
			w.left = max(w.save, 1) + more*rapid.IntRange(0, 200).Draw(r, "end")
			var first map[point]netip.Addr
			var stops map[Trace]Stop
			w.saved = func() { first, stops = got.clone() }
			(&world{truth: truth, again: twice}).run(t, w, d.rate)
			for _, tag := range w.sent {
				if left[tag] && !aloft[tag] {
					r.Fatalf("%s: the probe %x left again", mode, tag)
				}
				left[tag] = true
				delete(aloft, tag)
			}
			if w.aloft == nil {
				break
			}
			wasFirst, wasStops := got.clone()
			got.first, got.stops = first, stops
			s = newKept(t, mode, cfg)
			w.replay(r, s.(replayed))
			if !maps.Equal(got.first, wasFirst) || !maps.Equal(got.stops, wasStops) {
				r.Fatalf("%s: %d answers and %d traces, were %d and %d", mode, len(got.first), len(got.stops), len(wasFirst), len(wasStops))
			}
			maps.Copy(aloft, w.aloft)
		}
	})
}

// A journal may say anything.
func FuzzReplay(f *testing.F) {
	cfg := config(f, frame.UDP, addrs(40))
	modes := []string{"random", "full", "adaptive"}
	var seed []byte
	for i := range 200 {
		seed = append(seed, uint8(i%3), uint8(i), uint8(i>>8), 0, 0, 0, uint8(i))
	}
	for i := range modes {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, mode uint8, events []byte) {
		cfg := cfg
		cfg.Attempts = 1 + int(mode>>4&1)
		cfg.Finish = func(Trace, Stop) {}
		s := newKept(t, modes[int(mode)%len(modes)], cfg).(replayed)
		for ; len(events) >= 7; events = events[7:] {
			e := Event{Kind: EventKind(events[0] % 3), Tag: int(binary.LittleEndian.Uint32(events[1:]))}
			if e.Kind == Learned {
				e.Match = &rx.Match{Verdict: rx.Verdict(events[5] % uint8(rx.Verdicts)), Reply: &frame.Reply{Kind: frame.Kind(events[6] % 8)}}
			}
			if s.Replay(&e) != nil {
				return
			}
		}
		s.Replayed()
		again := newKept(t, modes[int(mode)%len(modes)], cfg)
		if err := again.Restore(s.Save(nil, nil)); err != nil {
			t.Fatalf("what was replayed can't be restored: %v", err)
		}
		pass := scheduler.Pass{Room: 100}
		s.Plan(&pass)
	})
}
