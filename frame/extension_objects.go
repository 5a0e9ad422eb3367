package frame

import "encoding/binary"

// Extension objects, RFC 4884 section 7.1: offsets in bytes.
const (
	objectLengthAt  = 0 // header included
	objectClassAt   = 2
	objectTypeAt    = 3
	objectHeaderLen = 4
)

// The class and type of an MPLS label stack, RFC 4950 section 5. Its Data is
// for Labels.
const (
	ClassMPLS         = 1
	TypeMPLSIncoming  = 1
	labelEntryLen     = 4
	labelShift        = 12 // 20 bits label, 3 bits Exp, 1 bit bottom, 8 bits TTL
	labelExpShift     = 9
	labelExpMask      = 0x7
	labelBottomOfMask = 1 << 8
)

// Object is one extension object. Data is what follows its header and points
// into the frame.
type Object struct {
	Class, Type uint8
	Data        []byte
}

// ObjectWalker hands out the objects of an extension structure in turn.
type ObjectWalker struct {
	rest []byte
}

// Objects walks the objects of ext, an extension structure with its header.
// The header is not looked at: Valid does that.
func Objects(ext []byte) ObjectWalker {
	if len(ext) < extensionHeaderLen {
		return ObjectWalker{}
	}
	return ObjectWalker{rest: ext[extensionHeaderLen:]}
}

// Next gives the next object, or false at the end or at the first object whose
// length Valid rejects.
func (w *ObjectWalker) Next() (Object, bool) {
	n := objectLen(w.rest)
	if n == 0 {
		w.rest = nil
		return Object{}, false
	}
	b := w.rest[:n:n]
	w.rest = w.rest[n:]
	return Object{Class: b[objectClassAt], Type: b[objectTypeAt], Data: b[objectHeaderLen:]}, true
}

// objectLen gives the length in bytes of the object at the start of b, header
// included, or 0 when there is none that fits and is made of whole words.
func objectLen(b []byte) int {
	if len(b) < objectHeaderLen {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b[objectLengthAt:]))
	if n < objectHeaderLen || n%4 != 0 || n > len(b) {
		return 0
	}
	return n
}

// LabelEntry is one entry of an MPLS label stack, RFC 3032 section 2.1.
type LabelEntry struct {
	Label  uint32 // 20 bits
	Exp    uint8  // traffic class, 3 bits (RFC 5462)
	Bottom bool   // last entry of the stack
	TTL    uint8
}

// LabelWalker hands out the entries of an MPLS label stack from the top.
type LabelWalker struct {
	rest []byte
}

// Labels walks the entries in the data of an object of ClassMPLS and
// TypeMPLSIncoming. It goes on past an entry marked Bottom and leaves out a
// last entry of less than four bytes.
func Labels(data []byte) LabelWalker { return LabelWalker{rest: data} }

// Next gives the next entry, or false at the end.
func (w *LabelWalker) Next() (LabelEntry, bool) {
	if len(w.rest) < labelEntryLen {
		return LabelEntry{}, false
	}
	v := binary.BigEndian.Uint32(w.rest)
	w.rest = w.rest[labelEntryLen:]
	return LabelEntry{
		Label:  v >> labelShift,
		Exp:    uint8(v >> labelExpShift & labelExpMask),
		Bottom: v&labelBottomOfMask != 0,
		TTL:    uint8(v),
	}, true
}
