package survey

import (
	"strings"

	"github.com/hopquote/hopquote/rx"
)

// counts is rx.Counts as metadata has it:
// sent = answered + expired + in flight, received = matched + duplicate + late +
// stray, and the verdicts add up to what was received.
type counts struct {
	Sent      uint64            `json:"sent"`
	Answered  uint64            `json:"answered"`
	Expired   uint64            `json:"expired"`
	InFlight  uint64            `json:"in_flight"`
	Received  uint64            `json:"received"`
	Matched   uint64            `json:"matched"`
	Duplicate uint64            `json:"duplicate"`
	Late      uint64            `json:"late"`
	Stray     uint64            `json:"stray"`
	Reasons   map[string]uint64 `json:"stray_reasons"` // those that there were
	Verdicts  map[string]uint64 `json:"verdicts"`      // likewise
}

func countsOf(c *rx.Counts) counts {
	m := counts{
		Sent: c.Sent, Answered: c.Answered, Expired: c.Expired, InFlight: c.InFlight,
		Received: c.Received, Matched: c.Matched, Duplicate: c.Duplicate, Late: c.Late, Stray: c.Strays(),
		Reasons: map[string]uint64{}, Verdicts: map[string]uint64{},
	}
	for i, n := range c.Stray {
		if n > 0 {
			m.Reasons[strings.ReplaceAll(rx.Reason(i).String(), "-", "_")] = n
		}
	}
	for i, n := range c.Verdicts {
		if n > 0 {
			m.Verdicts[rx.Verdict(i).String()] = n
		}
	}
	return m
}

// frameCounts is scheduler.FrameCounts.
type frameCounts struct {
	Built  uint64 `json:"built"`
	Sent   uint64 `json:"sent"`
	Failed uint64 `json:"failed"`
	Unsent uint64 `json:"unsent"`
	Held   uint64 `json:"held"`
}

// ringCounts is rx.RingStats.
type ringCounts struct {
	Received uint64 `json:"received"`
	Drops    uint64 `json:"drops"`
	Frozen   uint64 `json:"frozen"`
	Handed   uint64 `json:"handed"`
	Outgoing uint64 `json:"outgoing"`
}

// handovers is scheduler.Handovers: replies that came to another loop than their
// probe's. Those that were offered and are neither matched nor lost are nobody's.
type handovers struct {
	Offered uint64 `json:"offered"`
	Matched uint64 `json:"matched"`
	Lost    uint64 `json:"lost"` // no room; not all loops were asked
}
