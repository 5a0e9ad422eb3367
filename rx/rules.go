package rx

import (
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Rule is one line of the table by which replies are attributed.
type Rule struct {
	Name string
	Need Evidence
	// Bits is how many bits must have come back right that nobody can guess;
	// 0: as many as the probe carries. Below 32 the rule is weak: it rests while
	// replies that nothing fits come in about the same destination.
	Bits int
	// Alone is for rules under which a foreign packet may look like a probe's:
	// only one may fit, and none other of the same addresses and ports may be in
	// flight. These rules are weak too.
	Alone   bool
	Meaning string
}

// mostAlike is how many probes of the same addresses and ports there may be for a
// weak rule, and how many in flight to the destination for one that does without
// some of these: a guess is as good for one as for any other of them.
const mostAlike = 64

// strongBits is what a rule that never rests needs.
const strongBits = 32

// weak tells whether the rule may rest.
func (r *Rule) weak() bool { return r.Alone || r.Bits > 0 && r.Bits < strongBits }

// Rules lists the rules for quotes, the strongest first. A reply goes to the
// probe that the first rule with any candidate leaves alone; of several, to the
// only one in flight; of several that are one probe sent anew, to the last. Otherwise
// to none.
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }

// AnswerRules lists the rules for direct answers, which quote nothing.
func AnswerRules() []Rule { return append([]Rule(nil), answerRules[:]...) }

var rules = [...]Rule{
	{"whole", flowOnly | Identity | Word, 0, false, "all that tells probes apart came back as it was sent"},
	{"word", flowOnly | Word, 32, false, "the identity was changed or did not come back; a sequence number is enough, or checksum and IPv6 flow label"},
	{"source-changed", Destination | DestinationPort | Identity | Word, 32, false, "source address, port or identifier translated: NAT"},
	{"ports-changed", Destination | Identity | Word, 32, false, "ports translated"},
	{"destination-changed", ports | Identity | Word, 32, false, "destination or both addresses translated"},
	{"identity-near", flowOnly | NearIdentity | Word, 16, false, "identification swapped or one more"},
	{"identity-cleared", flowOnly | NoIdentity | Word, 16, false, "identification zero; IPv6: the quote ends before the mark"},
	{"word-cleared", flowOnly | Identity | NoWord, 16, false, "checksum zero or never finished"},
	{"source-changed-word-cleared", Destination | DestinationPort | Identity | NoWord, 16, false, "source translated, checksum cleared"},
	{"translated", OtherVersion | Destination | ports | Word, 16, false, "NAT64 or CLAT left the quote in the other IP version"},
	{"short", addresses | Identity | Short, 16, false, "fewer than 8 transport bytes came back"},
	{"later-fragment", addresses | Identity | Later, 16, false, "a later fragment came back"},
	{"word-changed", flowOnly | Identity, 16, true, "sequence or checksum rewritten"},
	{"identity-changed", flowOnly | Word, 16, true, "identity rewritten"},
	{"unkeyed", flowOnly | Word | Unkeyed, 0, true, "identity rewritten of a probe that has no other secret"},
}

var answerRules = [...]Rule{
	{"answer", flowOnly | Word, 0, false, "from the destination, with all that such an answer brings back"},
	{"answer-other-address", Source | ports | Word, 32, false, "from another address, with the probe's number or mark"},
	{"answer-without-mark", flowOnly | NoWord, 16, false, "an echo reply whose payload was lost"},
}

// RuleID names a rule: its place in Rules, behind which those of AnswerRules
// follow; 0 is none.
type RuleID uint8

// ID of the rules that the ordinary path uses.
const (
	ruleNone   RuleID = 0
	ruleWhole  RuleID = 1
	ruleAnswer RuleID = RuleID(len(rules)) + 1
)

// String gives the rule's name, "none" for 0.
func (id RuleID) String() string {
	switch n := int(id); {
	case n == 0:
		return "none"
	case n <= len(rules):
		return rules[n-1].Name
	case n <= len(rules)+len(answerRules):
		return answerRules[n-1-len(rules)].Name
	}
	return "invalid"
}

// contest collects the candidates for one reply.
type contest struct {
	rules []Rule
	base  RuleID // of the first of rules
	best  int    // in rules; len(rules) for none

	// Of the candidates under the best rule:
	count, flying int
	pick          candidate // the newest
	flyingPick    candidate // the newest in flight
	twins         bool      // all are one probe, sent anew

	shared     bool // there are probes of others to the destination
	highest    bool // of several in flight the one with the highest TTL is the pick
	flow       bool // a probe has the addresses and ports, or the identifier
	alike      int  // how many have the addresses and both ports
	flowFlying int  // how many of them are in flight
	kin        int  // how many have the destination and are in flight
	near       bool // a probe has the ports
}

// candidate is a probe: its place or number, and what speaks for it.
type candidate struct {
	at     uint32
	tag    int
	ttl    uint8
	sent   time.Duration
	weight weight
}

func (c *contest) begin(answer bool) {
	*c = contest{rules: rules[:], base: ruleWhole, twins: true}
	if answer {
		c.rules, c.base = answerRules[:], ruleAnswer
	}
	c.best = len(c.rules)
}

// enter puts a candidate to the rules. Candidates come in any order.
func (c *contest) enter(at uint32, e *entry, w weight) {
	c.near = c.near || w.have&ports == ports
	c.flow = c.flow || w.have&flowOnly == flowOnly || e.method == frame.ICMP && w.have&identified == identified
	if w.have&flowOnly == flowOnly {
		c.alike++
		if e.state == inFlight {
			c.flowFlying++
		}
	}
	if w.have&Destination != 0 && e.state == inFlight {
		c.kin++
	}
	for i := 0; i < len(c.rules) && i <= c.best; i++ {
		r := &c.rules[i]
		if w.have&r.Need != r.Need || int(w.bits) < r.Bits {
			continue
		}
		if i < c.best {
			c.best, c.count, c.flying, c.twins = i, 0, 0, true
		}
		c.take(candidate{at, e.tag, e.ttl, e.sent, w}, e.state == inFlight)
		return
	}
}

func (c *contest) take(k candidate, flying bool) {
	if c.count > 0 && k.tag != c.pick.tag {
		c.twins = false
	}
	if c.count == 0 || k.sent >= c.pick.sent {
		c.pick = k
	}
	c.count++
	if !flying {
		return
	}
	switch best := &c.flyingPick; {
	case c.flying == 0,
		c.highest && k.ttl > best.ttl,
		(!c.highest || k.ttl == best.ttl) && k.sent >= best.sent:
		*best = k
	}
	c.flying++
}

// decide gives the winner and its rule, or the reason why there is none. open
// tells whether weak rules may be used.
func (c *contest) decide(open bool) (candidate, RuleID, Reason) {
	if c.best == len(c.rules) {
		return candidate{}, ruleNone, c.refusal()
	}
	r := &c.rules[c.best]
	if r.weak() && (!open || c.crowded(r)) || r.Alone && (c.count != 1 || c.flowFlying != c.flying) {
		return candidate{}, ruleNone, c.refusal()
	}
	id := c.base + RuleID(c.best)
	switch {
	case c.count == 1:
		return c.pick, id, ReasonNone
	case c.flying == 1, c.flying > 1 && c.twins:
		return c.flyingPick, id, ReasonNone
	case c.twins:
		return c.pick, id, ReasonNone
	}
	return candidate{}, ruleNone, ReasonAmbiguous
}

// crowded tells whether too many probes are as good as the winner of a weak rule.
func (c *contest) crowded(r *Rule) bool {
	return c.shared && r.Need&SourcePort == 0 || c.alike > mostAlike || r.Need&flowOnly != flowOnly && c.kin > mostAlike
}

// decideAnswer is decide for direct answers, which may go to the newest of
// several.
func (c *contest) decideAnswer(open bool) (candidate, RuleID, Reason) {
	k, id, reason := c.decide(open)
	if reason != ReasonAmbiguous {
		return k, id, reason
	}
	id = c.base + RuleID(c.best)
	if c.flying > 0 {
		return c.flyingPick, id, ReasonNone
	}
	return c.pick, id, ReasonNone
}

func (c *contest) refusal() Reason {
	switch {
	case c.flow:
		return ReasonCheck
	case c.near:
		return ReasonAddress
	}
	return ReasonUnknown
}
