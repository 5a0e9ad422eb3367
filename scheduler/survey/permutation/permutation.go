// Package permutation puts the numbers below n into an order that a key
// decides, without keeping any of them: each place of the order tells its number
// and each number its place.
package permutation

import (
	"fmt"
	"math"
	"math/bits"
)

// MaxLen is the greatest number of elements.
const MaxLen = 1 << 48

// Permutation is a bijection of 0..Len()-1. The zero Permutation is that of
// nothing. It is immutable.
//
// It is an alternating Feistel network: the number is split into a digit below
// a and one below b, a*b being n or little more, and each digit in turn is
// shifted by a keyed hash of the other. What comes out above n is put through
// again (cycle walking), which is rare since less than b numbers do. The order
// is for spreading probes; it hides nothing from who knows many of its places.
type Permutation struct {
	n    uint64
	a, b uint64
	keys [rounds]uint64
}

// rounds is even: both digits are shifted equally often.
const rounds = 6

// New makes the permutation of n numbers that the key names. n is 0 to MaxLen.
func New(n, key uint64) (*Permutation, error) {
	if n > MaxLen {
		return nil, fmt.Errorf("permutation of %d numbers: at most %d (2^48) are possible", n, uint64(MaxLen))
	}
	p := &Permutation{n: n, a: 1, b: 1}
	if n > 1 {
		p.b = uint64(math.Ceil(math.Sqrt(float64(n))))
		p.a = (n + p.b - 1) / p.b
	}
	for i := range p.keys {
		key += 0x9e3779b97f4a7c15
		p.keys[i] = mix(key)
	}
	return p, nil
}

// Len is how many numbers there are.
func (p *Permutation) Len() uint64 { return p.n }

// At gives the number at a place, which must be below Len.
func (p *Permutation) At(place uint64) uint64 {
	for {
		place = p.forth(place)
		if place < p.n {
			return place
		}
	}
}

// Place gives the place of a number, which must be below Len.
func (p *Permutation) Place(number uint64) uint64 {
	for {
		number = p.back(number)
		if number < p.n {
			return number
		}
	}
}

func (p *Permutation) forth(x uint64) uint64 {
	l, r := x/p.b, x%p.b
	for i := 0; i < rounds; i += 2 {
		l += shift(r, p.keys[i], p.a)
		if l >= p.a {
			l -= p.a
		}
		r += shift(l, p.keys[i+1], p.b)
		if r >= p.b {
			r -= p.b
		}
	}
	return l*p.b + r
}

func (p *Permutation) back(x uint64) uint64 {
	l, r := x/p.b, x%p.b
	for i := rounds - 2; i >= 0; i -= 2 {
		s := shift(l, p.keys[i+1], p.b)
		if r < s {
			r += p.b
		}
		r -= s
		s = shift(r, p.keys[i], p.a)
		if l < s {
			l += p.a
		}
		l -= s
	}
	return l*p.b + r
}

// shift hashes x to a number below limit.
func shift(x, key, limit uint64) uint64 {
	hi, lo := bits.Mul64(x^key, 0xa0761d6478bd642f)
	hi, _ = bits.Mul64((hi^lo)*0xe7037ed1a0b428db, limit)
	return hi
}

// mix spreads every bit of x over all of them (the last step of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
