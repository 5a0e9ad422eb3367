package anomaly

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Value is the value of a header field: a number, an address or bytes.
type Value struct {
	number uint64
	addr   netip.Addr
	bytes  []byte
	form   form
}

type form uint8

const (
	formAbsent form = iota
	formNumber
	formHex
	formAddr
	formBytes
	formText
)

// String gives a number in decimal, or in hexadecimal where people write it
// so, an address, bytes in hexadecimal, or "absent".
func (v Value) String() string {
	switch v.form {
	case formNumber:
		return strconv.FormatUint(v.number, 10)
	case formHex:
		return "0x" + strconv.FormatUint(v.number, 16)
	case formAddr:
		return v.addr.String()
	case formBytes:
		return hex.EncodeToString(v.bytes)
	case formText:
		return string(v.bytes)
	}
	return "absent"
}

// IsAbsent tells the value of a field that is not there.
func (v Value) IsAbsent() bool { return v.form == formAbsent }

// Number gives a number, and whether the value is one.
func (v Value) Number() (n uint64, ok bool) {
	return v.number, v.form == formNumber || v.form == formHex
}

// Clone gives a value that points into nothing.
func (v Value) Clone() Value {
	v.bytes = bytes.Clone(v.bytes)
	return v
}

// Text is a value in words.
func Text(s string) Value { return Value{bytes: []byte(s), form: formText} }

func number[T uint8 | uint16 | uint32 | int](n T) Value {
	return Value{number: uint64(n), form: formNumber}
}

func hexa[T uint8 | uint16 | uint32](n T) Value { return Value{number: uint64(n), form: formHex} }

func address(a netip.Addr) Value { return Value{addr: a, form: formAddr} }

func raw(b []byte) Value {
	if len(b) == 0 {
		return Value{}
	}
	return Value{bytes: b, form: formBytes}
}

// Field is one header field that differs, or that is worth telling.
type Field struct {
	Flag         Flag
	Name         string
	Sent, Quoted Value
}

// Label is the name of the field or, where several anomalies are about one
// field, that of the anomaly: id-swapped.
func (f *Field) Label() string {
	if name := f.Flag.String(); strings.HasPrefix(name, f.Name+"-") {
		return name
	}
	return f.Name
}

// Report is what Compare found: the anomalies and the fields behind them, in
// the order of the packet.
type Report struct {
	Flags  Flag
	Fields []Field
	// Wrapping names what Unwrap took off, if Flags has Encapsulated.
	Wrapping string
}

func (r *Report) reset() { *r = Report{Fields: r.Fields[:0]} }

func (r *Report) add(flag Flag, name string, sent, quoted Value) {
	r.Flags |= flag
	r.Fields = append(r.Fields, Field{flag, name, sent, quoted})
}
