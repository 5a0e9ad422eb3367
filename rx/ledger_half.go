package rx

import "github.com/hopquote/hopquote/frame"

// Routers that quote 48 bytes of an IPv6 probe, the least that is of use, bring
// only the lower half of its token back. So probes of a flow are not given
// tokens that agree in it: among 16, one probe of 4,000 would be, and two could
// not be told apart.

// halves is the lower halves of tokens that were given to probes which have not
// left yet, a bit for each.
type halves [1 << 16 / 64]uint64

func (h *halves) has(token uint32) bool { return h[token%(1<<16)/64]>>(token%64)&1 != 0 }
func (h *halves) add(token uint32)      { h[token%(1<<16)/64] |= 1 << (token % 64) }
func (h *halves) remove(token uint32)   { h[token%(1<<16)/64] &^= 1 << (token % 64) }

// mayComeHalved tells whether that can happen to the probe's token.
func mayComeHalved(p *frame.Probe) bool { return p.IsIPv6() && p.Method != frame.TCP }

// tellsApart tells whether half of the token is enough where no more of it may
// come back, and then reserves that half until the probe has left.
func (l *Ledger) tellsApart(p *frame.Probe, token uint32) bool {
	if !mayComeHalved(p) {
		return true
	}
	if l.pending.has(token) {
		return false
	}
	for c := l.chain(addressOf(p.Dst)); ; {
		seq, ok := l.older(&c)
		if !ok {
			break
		}
		w := l.ring.at(seq)
		if uint16(w[0]) == p.SrcPort && hintOf(w) == token&hintMask && uint16(l.cipher.Encrypt(seq)) == uint16(token) {
			return false
		}
	}
	l.pending.add(token)
	return true
}

// lowHalf is the lower half of the token of a probe of which it may come back
// alone.
func lowHalf(p *frame.Probe) uint32 {
	if p.Method == frame.ICMP {
		return p.Seq
	}
	return uint32(p.Sum)
}
