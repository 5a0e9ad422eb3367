// Package pack puts numbers and bytes one behind the other and takes them out
// again: what a survey keeps of itself to go on later.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
)

// ErrShort is Reader's error for data that end too early or make no sense.
var ErrShort = errors.New("data end too early or are damaged")

// Uint appends a number of 1 to 10 bytes, as binary.AppendUvarint has it.
func Uint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// Int appends a number that may be negative.
func Int(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// Fixed appends a number as 8 bytes.
func Fixed(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// Float appends a number as 8 bytes.
func Float(b []byte, v float64) []byte { return Fixed(b, math.Float64bits(v)) }

// Bytes appends bytes behind their length.
func Bytes(b, data []byte) []byte { return append(Uint(b, uint64(len(data))), data...) }

// Addr appends an address, valid or not.
func Addr(b []byte, a netip.Addr) []byte {
	switch {
	case a.Is4():
		v := a.As4()
		return Bytes(b, v[:])
	case a.IsValid():
		v := a.As16()
		return Bytes(b, v[:])
	}
	return Uint(b, 0)
}

// Reader takes out what was appended, in the same order. After an error it gives
// zeros; Err tells of it.
type Reader struct {
	data []byte
	err  error
}

// NewReader reads data, which it does not copy.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Len is how many bytes are left.
func (r *Reader) Len() int { return len(r.data) }

// End gives the first error, or one if anything is left.
func (r *Reader) End() error {
	if r.err == nil && len(r.data) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.data))
	}
	return r.err
}

// Fail makes err the error, if there is none yet.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.data = nil
}

// took goes on behind the first n bytes; n below 1 stands for data that end too
// early.
func (r *Reader) took(n int) bool {
	if r.err != nil || n < 1 {
		r.Fail(ErrShort)
		return false
	}
	r.data = r.data[n:]
	return true
}

// Uint takes a number out that is at most limit.
func (r *Reader) Uint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.data)
	if !r.took(n) {
		return 0
	}
	if v > limit {
		r.Fail(fmt.Errorf("number %d, at most %d is possible", v, limit))
		return 0
	}
	return v
}

// Int takes a number out that may be negative.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.data)
	if !r.took(n) {
		return 0
	}
	return v
}

// Count takes out how many things of at least size bytes each, 1 or more,
// follow: no more than there is room for.
func (r *Reader) Count(size int) int {
	n := int(r.Uint(uint64(len(r.data) / size)))
	if n > len(r.data)/size { // which the number itself has made less
		r.Fail(ErrShort)
		return 0
	}
	return n
}

// Fixed takes out a number of 8 bytes.
func (r *Reader) Fixed() uint64 {
	if len(r.data) < 8 {
		r.Fail(ErrShort)
		return 0
	}
	v := binary.LittleEndian.Uint64(r.data)
	r.data = r.data[8:]
	return v
}

// Float takes out a number of 8 bytes.
func (r *Reader) Float() float64 { return math.Float64frombits(r.Fixed()) }

// Bytes takes bytes out, which are those of the data.
func (r *Reader) Bytes() []byte {
	n := r.Count(1)
	if r.err != nil {
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

// Addr takes an address out, valid or not.
func (r *Reader) Addr() netip.Addr {
	b := r.Bytes()
	a, ok := netip.AddrFromSlice(b)
	if !ok && len(b) > 0 {
		r.Fail(fmt.Errorf("an address of %d bytes", len(b)))
	}
	return a
}

// Next takes n bytes out that were appended without their length.
func (r *Reader) Next(n int) []byte {
	if n < 0 || n > len(r.data) || r.err != nil {
		r.Fail(ErrShort)
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}
