package codec

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// outstanding is how many probes are in flight in the suite of looking up.
const outstanding = 1 << 20

// stride visits all of outstanding places out of order, as replies come.
const stride = 7919

// Lookup is the suite of finding a probe among many by its identity.
func Lookup(d time.Duration) measure.Suite {
	s := measure.Suite{
		Name: "lookup", Title: fmt.Sprintf("finding one of %d probes in flight", outstanding),
		Labels:  []string{"by"},
		Figures: append(figures[:len(figures):len(figures)], measure.Figure{Key: "ratio", Title: "ratio", Digits: 1, Ratio: "time_ns"}),
	}
	for _, c := range []struct {
		name string
		open func() (finder, error)
	}{
		{"ledger, all verified", newLedgerFinder},
		{"match table, all verified", newTableFinder},
		{"Go map, look-up alone", newMapFinder},
	} {
		s.Cases = append(s.Cases, lookupCase(c.name, c.open, d))
	}
	return s
}

// finder finds the i-th probe, and tells whether it did.
type finder func(i int) bool

// lookupCase sets its finder up when it is first run.
func lookupCase(name string, open func() (finder, error), d time.Duration) measure.Case {
	var find finder
	var err error
	at, missed := 0, 0
	run := func(n int) {
		if find == nil && err == nil {
			find, err = open()
		}
		if err != nil {
			return
		}
		for range n {
			at = (at + stride) & (outstanding - 1)
			if !find(at) {
				missed++
			}
		}
	}
	return newCase([]string{name}, "", d, run, func() error {
		if missed > 0 {
			return fmt.Errorf("%d probes were not found", missed)
		}
		return err
	})
}

// base is the probe that all have in common, and a reply to it.
func base() (frame.Probe, frame.Reply) {
	p := probe(frame.UDP, false)
	p.MakeKeyed()
	return p, frame.Reply{
		Kind: frame.KindTimeExceeded, From: router(false), To: p.Src, TTL: 60, Checksum: frame.ChecksumGood,
		Quote: frame.Quote{
			Bytes: 28, Transport: 8, Protocol: 17, Method: frame.UDP, Src: p.Src, Dst: p.Dst, TTL: 1,
			Length: p.Size, SrcPort: p.SrcPort, DstPort: p.DstPort,
		},
	}
}

// newLedgerFinder has a destination for each probe, as a survey.
func newLedgerFinder() (finder, error) {
	p, r := base()
	l, err := rx.NewLedger(rx.LedgerConfig{Key: [8]byte{1, 2, 3}, Timeout: time.Hour, Slots: 2 * outstanding})
	if err != nil {
		return nil, err
	}
	tokens := make([][2]uint16, outstanding) // identification and checksum
	for i := range tokens {
		p.Dst = destination(i)
		ticket, err := l.Take(i, &p, false)
		if err != nil {
			return nil, err
		}
		l.Enter(ticket, i, &p, sent)
		tokens[i] = [2]uint16{p.ID, p.Sum}
	}
	var match rx.Match
	return func(i int) bool {
		r.Quote.Dst, r.Quote.ID, r.Quote.Checksum = destination(i), tokens[i][0], tokens[i][1]
		l.Match(&r, received, &match)
		return match.Tag == i
	}, nil
}

func destination(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
}

// newTableFinder has a pair of ports for each probe.
func newTableFinder() (finder, error) {
	p, r := base()
	p.Sum, r.Quote.Checksum, r.Quote.ID = 0x1234, 0x1234, p.ID
	table := rx.NewTable(outstanding)
	for i := range outstanding {
		p.SrcPort, p.DstPort = ports(i)
		table.Add(i, &p, sent)
	}
	var match rx.Match
	return func(i int) bool {
		r.Quote.SrcPort, r.Quote.DstPort = ports(i)
		table.Match(&r, received, &match)
		return match.Tag == i
	}, nil
}

func newMapFinder() (finder, error) {
	p, _ := base()
	byKey := make(map[frame.Key]int32, outstanding)
	keys := make([]frame.Key, outstanding)
	for i := range keys {
		p.SrcPort, p.DstPort = ports(i)
		keys[i] = p.Key()
		byKey[keys[i]] = int32(i)
	}
	return func(i int) bool { return byKey[keys[i]] == int32(i) }, nil
}

func ports(i int) (src, dst uint16) { return uint16(i>>16) + 1024, uint16(i) }
