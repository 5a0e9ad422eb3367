package frame

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sum adds the 16-bit words of b to initial in one's complement (RFC 1071); an
// odd last byte counts as the high byte of a word whose low byte is zero. The
// result is unfolded, so it can serve as initial for the bytes that follow an
// even number of bytes. The checksum of a message is ^Fold of its sum, and a
// message that carries a right checksum folds to 0xffff.
func Sum(b []byte, initial uint32) uint32 {
	// The one's complement sum does not depend on byte order as long as the
	// result is swapped back (RFC 1071 section 2 (B)), nor on the word size.
	var sum, carry uint64
	for len(b) >= 64 {
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b), 0)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[24:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[32:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[40:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[48:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[56:]), carry)
		sum, carry = bits.Add64(sum, 0, carry)
		sum += carry
		b = b[64:]
	}
	if len(b) >= 32 { // as in most errors
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b), 0)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b[24:]), carry)
		sum, carry = bits.Add64(sum, 0, carry)
		sum += carry
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.LittleEndian.Uint64(b), 0)
		sum += carry
		b = b[8:]
	}
	// At most 7 bytes remain: what they add can't overflow 64 bits.
	sum = sum>>32 + sum&0xffffffff
	if len(b) >= 4 {
		sum += uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		sum += uint64(binary.LittleEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0])
	}
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	return initial>>16 + initial&0xffff + uint32(bits.ReverseBytes16(Fold(uint32(sum))))
}

// Fold brings a sum down to 16 bits. It gives 0 for a sum of 0 only.
func Fold(sum uint32) uint16 {
	sum = sum>>16 + sum&0xffff
	return uint16(sum>>16 + sum)
}

// PseudoSum gives the sum of the pseudo-header that UDP, TCP and ICMPv6
// checksums cover (RFC 768, RFC 9293 section 3.1, RFC 8200 section 8.1), with
// length the transport header and payload in bytes. Both addresses must be of
// one family.
func PseudoSum(src, dst netip.Addr, proto uint8, length int) uint32 {
	n := uint32(length)
	return sumAddr(src) + sumAddr(dst) + uint32(proto) + n>>16 + n&0xffff
}

// sumAddr gives the unfolded sum of an address, below 1<<19.
func sumAddr(a netip.Addr) uint32 {
	b := a.As16()
	lo := binary.BigEndian.Uint32(b[12:])
	sum := lo>>16 + lo&0xffff
	if a.Is4() {
		return sum
	}
	for i := 0; i < 12; i += 4 {
		w := binary.BigEndian.Uint32(b[i:])
		sum += w>>16 + w&0xffff
	}
	return sum
}

// UpdateChecksum gives the checksum of a message after one of its 16-bit words
// changed from old to new (RFC 1624 equation 3).
func UpdateChecksum(checksum, old, new uint16) uint16 {
	return ^Fold(uint32(^checksum) + uint32(^old) + uint32(new))
}

// sumWords gives the sum of the 16-bit words in a and b, below 1<<17.
func sumWords(a, b uint64) uint32 {
	sum, carry := bits.Add64(a, b, 0)
	sum += carry // can't overflow: a carry leaves sum below its greatest value
	sum = sum>>32 + sum&0xffffffff
	low := uint32(sum>>32 + sum)
	return low>>16 + low&0xffff
}
