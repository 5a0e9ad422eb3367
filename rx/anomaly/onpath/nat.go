package onpath

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// isNAT tells the rows that only address translation makes: other addresses,
// ports or echo identifiers, a checksum that was updated and updated back, and
// one that nothing in the quote explains, by two hops at least. The checksum of
// a TCP header that did not come back whole is not shown, see shows.
func (r *row) isNAT() bool {
	const addresses = anomaly.Source | anomaly.Destination | anomaly.SourcePort | anomaly.DestinationPort
	return r.first.Flag&(addresses|anomaly.ChecksumRestored) != 0 || r.first.Flag == anomaly.Checksum && r.alone && r.hops > 1
}

// nats makes findings of the rows, one for each hop where some begin, and of
// what else gives a NAT away.
func (p *Path) nats(rows []row) []Finding {
	var found []Finding
	at := func(r *row) *Finding {
		for i := range found {
			if found[i].At == r.at {
				return &found[i]
			}
		}
		found = append(found, Finding{Kind: NAT, What: "NAT", After: r.after, At: r.at})
		return &found[len(found)-1]
	}
	for i := range rows {
		r := &rows[i]
		f := at(r)
		f.After, f.Last, f.Until = max(f.After, r.after), max(f.Last, r.last), r.until
		f.Fields = append(f.Fields, r.first.Field)
		if r.name == "checksum" {
			f.Evidence = "no other change explains the checksum"
			if r.first.Flag == anomaly.ChecksumRestored {
				f.Evidence = "the same number, which is what updating it there and back leaves: the quote is restored"
			}
		}
	}
	if r, ok := p.skewed(); ok {
		f := at(&r)
		f.Last = max(f.Last, r.last)
		if f.Evidence != "" {
			f.Evidence += ", "
		}
		f.Evidence += fmt.Sprintf("the quoted IP header checksums of hops %d to %d are those of other addresses", r.at, r.last)
	}
	if f, ok := p.impostor(); ok && !slices.ContainsFunc(found, func(g Finding) bool { return g.At == f.At }) {
		found = append(found, f)
	}
	return found
}

// skew is how far an IPv4 header checksum is off, in one's complement, where
// nothing but translated addresses is left to explain it; 0 for not at all.
type skew uint16

// checksumSkew looks for the checksum of a header that was quoted with
// addresses restored and their checksum not.
func checksumSkew(p, q *anomaly.Header) skew {
	const empty = 0xffff
	if q.Version != 4 || p.Version != 4 || q.Malformed || q.Checksum == 0 || q.Checksum == empty || p.Src != q.Src || p.Dst != q.Dst {
		return 0
	}
	head := 20 + len(q.Options)
	var sums [4]uint16 // of the header without checksum and TTL, as quoted and with fields as they were sent
	sums[0] = headerSum(q.Bytes[:head])
	sums[1] = headerSum(p.Bytes[:20+len(p.Options)])
	sums[2] = frame.Fold(uint32(sums[0]) + uint32(^uint16(q.Length)) + uint32(uint16(p.Length)))
	sums[3] = frame.Fold(uint32(sums[0]) + uint32(^uint16(q.ID)) + uint32(uint16(p.ID)))
	for _, quoted := range []uint16{q.Checksum, bits.ReverseBytes16(q.Checksum)} {
		for _, sum := range sums {
			for ttl := range uint32(256) {
				if frame.Fold(uint32(sum)+ttl<<8+uint32(quoted)) == empty {
					return 0
				}
			}
		}
	}
	// What the translated addresses add to the sum.
	return skew(frame.Fold(uint32(^q.Checksum) + uint32(^frame.Fold(uint32(sums[0])+uint32(q.TTL)<<8))))
}

// headerSum sums an IPv4 header but for its TTL and checksum.
func headerSum(b []byte) uint16 {
	sum := frame.Sum(b[:8], 0)
	sum += uint32(b[9])
	return frame.Fold(frame.Sum(b[12:], sum))
}

// skewed gives the hops whose quotes have header checksums that are off by one
// and the same number, by two responders at least.
func (p *Path) skewed() (row, bool) {
	var r row
	var first *seen
	for ttl := 1; ttl <= maxTTL; ttl++ {
		for i := range p.hops[ttl] {
			s := &p.hops[ttl][i]
			switch {
			case !s.quoted:
			case s.sum == 0 && first == nil:
				r.after = ttl
			case s.sum == 0:
			case first == nil:
				first, r.at, r.last = s, ttl, ttl
			case s.sum == first.sum && s.from != first.from:
				r.last = ttl
			}
		}
	}
	r.name = "ip-checksum"
	if first == nil || r.last == r.at || r.after >= r.at {
		return r, false
	}
	return r, true
}

// impostor finds the hops behind a NAT of the destination, which all answer by
// its address: time exceeded comes from the target itself, and from further off
// later on. A target that looks at the TTL of what is its own answers from one
// distance.
func (p *Path) impostor() (Finding, bool) {
	var f Finding
	var backs []int
	for ttl := 1; ttl <= maxTTL; ttl++ {
		for i := range p.hops[ttl] {
			s := &p.hops[ttl][i]
			switch {
			case !s.target && f.At == 0:
				f.After = ttl
			case !s.target || s.back == 0:
			case f.At == 0 && !s.expired:
				return f, false // the target, and nothing behind it
			default:
				if f.At == 0 {
					f.At = ttl
				}
				f.Last = ttl
				if !slices.Contains(backs, s.back) {
					backs = append(backs, s.back)
				}
			}
		}
	}
	if f.At == 0 || f.After >= f.At || len(backs) < 2 || f.Last == f.At || !slices.IsSorted(backs) {
		return f, false
	}
	f.Kind, f.What = NAT, "NAT"
	f.Evidence = fmt.Sprintf("hops %d to %d answer by the target's address, from %d to %d hops away",
		f.At, f.Last, backs[0], backs[len(backs)-1])
	return f, true
}

// stuckHops is how many TTLs in a row one router must answer alone.
const stuckHops = 3

// stuck finds the router at which probes of every further TTL expire.
func (p *Path) stuck() (Finding, bool) {
	var f Finding
	var who router
	for ttl := 1; ttl <= maxTTL; ttl++ {
		now, sole := p.soleRouter(ttl)
		if sole && f.At != 0 && now == who && ttl == f.Last+1 {
			f.Last = ttl
			continue
		}
		if f.At != 0 && f.Last-f.At >= stuckHops-1 {
			break
		}
		after := max(f.After, f.Last)
		switch {
		case sole:
			who, f = now, Finding{After: after, At: ttl, Last: ttl}
		case len(p.hops[ttl]) > 0:
			f = Finding{After: ttl}
		default:
			f = Finding{After: after}
		}
	}
	if f.At == 0 || f.Last-f.At < stuckHops-1 {
		return f, false
	}
	f.Kind, f.What = TTL, "TTL lowered"
	f.Evidence = fmt.Sprintf("every probe of TTL %d to %d expires at one router", f.At, f.Last)
	return f, true
}

type router struct {
	from netip.Addr
	back int
}

// soleRouter gives the one address by which time exceeded came for a TTL, from
// one distance, where nothing else did and it is not the target's.
func (p *Path) soleRouter(ttl int) (who router, ok bool) {
	for i := range p.hops[ttl] {
		s := &p.hops[ttl][i]
		if !s.expired || s.target || i > 0 && who != (router{s.from, s.back}) {
			return router{}, false
		}
		who = router{s.from, s.back}
	}
	return who, len(p.hops[ttl]) > 0
}
