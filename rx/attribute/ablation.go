package attribute

// Score is how well one key attributes replies, against the full evidence.
//
// Right + Wrong + Ambiguous + None is the number of replies with a cause;
// False + Refused that of those without.
type Score struct {
	Right     uint64 // one packet in flight has the key, the right one
	Wrong     uint64 // one packet has it, another one
	Ambiguous uint64 // several have it
	None      uint64 // none has it, or the reply does not bring it back
	False     uint64 // the reply has no cause, but a packet has the key
	Refused   uint64 // no cause, and no packet or several
}

// Precision is the share of right ones among all that the key attributed, 1
// where there were none.
func (s *Score) Precision() float64 { return share(s.Right, s.Right+s.Wrong+s.False) }

// Recall is the share of right ones among all that have a cause, 1 where there
// were none.
func (s *Score) Recall() float64 { return share(s.Right, s.Right+s.Wrong+s.Ambiguous+s.None) }

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Add adds the counts of another score.
func (s *Score) Add(o *Score) {
	s.Right += o.Right
	s.Wrong += o.Wrong
	s.Ambiguous += o.Ambiguous
	s.None += o.None
	s.False += o.False
	s.Refused += o.Refused
}

// KeyScore is the score of one key: for ICMP errors, and for direct answers.
type KeyScore struct {
	Key             Key
	Errors, Answers Score
}

// Scores gives the score of every key of the Config, in its order.
func (t *Tracker) Scores() []KeyScore {
	list := make([]KeyScore, len(t.keys))
	for i := range t.keys {
		k := &t.keys[i]
		list[i] = KeyScore{k.key, k.errors, k.answers}
	}
	return list
}

type keyState struct {
	key             Key
	chain           chain
	errors, answers Score
}

func (k *keyState) add(f *fields, pos uint64) {
	if hash, ok := k.key.probe(f); ok {
		k.chain.add(hash, pos)
	}
}

// judge asks every key for the cause of a reply that brings f back. The answer
// is in r: position truth, if its verdict says that there is one.
func (t *Tracker) judge(f *fields, truth uint64, r *Result, isError bool) {
	caused := r.Verdict.Attributed()
	for i := range t.keys {
		k := &t.keys[i]
		s := &k.answers
		if isError {
			s = &k.errors
		}
		n, pos := k.look(f, t)
		switch {
		case !caused && n == 1:
			s.False++
		case !caused:
			s.Refused++
		case n == 0:
			s.None++
		case n > 1:
			s.Ambiguous++
		case pos == truth:
			s.Right++
		default:
			s.Wrong++
		}
	}
}

// look counts the packets in flight that have the key of f, up to 2, and gives
// the newest.
func (k *keyState) look(f *fields, t *Tracker) (n int, pos uint64) {
	for try := 0; ; try++ {
		hash, ok, more := k.key.reply(f, try)
		if ok {
			if n, pos = k.lookUp(hash, f, t); n > 0 {
				return n, pos
			}
		}
		if !more {
			return 0, 0
		}
	}
}

// lookUp does it for one hash. Of several that its tie tells apart it counts
// one.
func (k *keyState) lookUp(hash uint64, f *fields, t *Tracker) (n int, first uint64) {
	ties, tied := 0, uint64(0)
	w := k.chain.walk(hash, &t.window)
	for range maxWalk {
		pos, ok := w.next()
		if !ok {
			break
		}
		e := t.window.at(pos)
		if t.now-e.at > int64(t.config.Wait) {
			break
		}
		if h, ok := k.key.probe(&e.fields); !ok || h != hash {
			continue
		}
		if n++; n == 1 {
			first = pos
		}
		if k.key.tie == nil {
			if n > 1 {
				break
			}
		} else if k.key.tie(&e.fields, f) {
			if ties++; ties > 1 {
				break
			}
			tied = pos
		}
	}
	if n > 1 && ties == 1 {
		return 1, tied
	}
	return n, first
}
