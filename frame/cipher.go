package frame

import (
	"encoding/binary"
	"math/bits"
)

// Cipher is a keyed permutation of the 32-bit numbers: Speck32/64 of Beaulieu
// et al., "The Simon and Speck families of lightweight block ciphers" (NSA,
// 2013), with 22 rounds. It is immutable.
//
// A probe's token is its index in a run, encrypted. Being a permutation, it is
// index and check in one: no two probes share a token, decrypting one gives the
// index without a look-up, and all 32 bits are the check. Who doesn't see the
// probes and guesses a token hits one given probe with probability 2^-32, and
// any of n in flight with n times that. Who sees them can answer them anyway.
type Cipher struct {
	keys [cipherRounds]uint16
}

const cipherRounds = 22

// NewCipher takes the key's 16-bit words as least significant byte first, the
// first round's key first.
func NewCipher(key [8]byte) *Cipher {
	c := new(Cipher)
	k := binary.LittleEndian.Uint16(key[:])
	var l [3]uint16
	for i := range l {
		l[i] = binary.LittleEndian.Uint16(key[2+2*i:])
	}
	for i := range c.keys {
		c.keys[i] = k
		l[i%3], k = speckRound(l[i%3], k, uint16(i))
	}
	return c
}

// speckRound is one round of the cipher, and of its key schedule.
func speckRound(x, y, k uint16) (uint16, uint16) {
	x = (bits.RotateLeft16(x, -7) + y) ^ k
	return x, bits.RotateLeft16(y, 2) ^ x
}

// speckBack undoes speckRound.
func speckBack(x, y, k uint16) (uint16, uint16) {
	y = bits.RotateLeft16(y^x, -2)
	return bits.RotateLeft16((x^k)-y, 7), y
}

// Encrypt gives the token of an index.
func (c *Cipher) Encrypt(index uint32) uint32 {
	x, y := uint16(index>>16), uint16(index)
	for i := 0; i < cipherRounds; i += 2 {
		x, y = speckRound(x, y, c.keys[i])
		x, y = speckRound(x, y, c.keys[i+1])
	}
	return uint32(x)<<16 | uint32(y)
}

// Decrypt gives the index of a token.
func (c *Cipher) Decrypt(token uint32) uint32 {
	x, y := uint16(token>>16), uint16(token)
	for i := cipherRounds - 1; i > 0; i -= 2 {
		x, y = speckBack(x, y, c.keys[i])
		x, y = speckBack(x, y, c.keys[i-1])
	}
	return uint32(x)<<16 | uint32(y)
}
