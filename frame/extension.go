package frame

import (
	"encoding/binary"
	"errors"
)

// ICMP extension structure, RFC 4884 section 7: a header of four bytes, then
// objects to the end of the message.
const (
	extensionHeaderLen  = 4
	extensionVersion    = 2   // in the upper four bits of the first byte
	extensionChecksumAt = 2   // over the whole structure, 0 when none was sent
	minOriginal         = 128 // least original datagram before a structure
)

// Why Valid rejects an extension structure.
var (
	ErrExtensionShort    = errors.New("extension structure shorter than its header of 4 bytes")
	ErrExtensionVersion  = errors.New("extension version is not 2")
	ErrExtensionEmpty    = errors.New("extension structure without objects")
	ErrExtensionObject   = errors.New("extension object length is below 4, not a multiple of 4, or past the end")
	ErrExtensionChecksum = errors.New("extension checksum is wrong")
)

// Valid tells why ext, an RFC 4884 extension structure with its header, must
// not be believed, or nil: version 2, at least one object, objects that fill
// it exactly, and a checksum that is right or was not sent (0).
func Valid(ext []byte) error {
	if len(ext) < extensionHeaderLen {
		return ErrExtensionShort
	}
	if ext[0]>>4 != extensionVersion {
		return ErrExtensionVersion
	}
	objects := ext[extensionHeaderLen:]
	if len(objects) == 0 {
		return ErrExtensionEmpty
	}
	for len(objects) > 0 {
		n := objectLen(objects)
		if n == 0 {
			return ErrExtensionObject
		}
		objects = objects[n:]
	}
	if binary.BigEndian.Uint16(ext[extensionChecksumAt:]) != 0 && Fold(Sum(ext, 0)) != 0xffff {
		return ErrExtensionChecksum
	}
	return nil
}

// mayHoldExtensions tells whether takeExtensions has anything to look at, as it
// has not in a message with the shortest quote.
func mayHoldExtensions(body []byte, stated int) bool {
	return stated != 0 || len(body) >= minOriginal+extensionHeaderLen
}

// takeExtensions sets r.Ext if there is an extension structure in body, which
// is all that follows the ICMP header, and gives the original datagram field
// before it. stated is that field's length in bytes by the message's own
// length field, 0 when the router did not fill it in.
//
// A stated length ends the original datagram if the message reaches that far.
// Below the 128 bytes that RFC 4884 asks for it is believed only with a valid
// structure behind it: routers older than the RFC left anything in that byte,
// and a made-up end would cut the quote short. What stands behind a believed
// length is taken whether or not it is valid; Valid tells. Without it, a valid
// structure at the 128 bytes of section 5.5 is taken.
func (r *Reply) takeExtensions(body []byte, stated int) []byte {
	if stated > 0 && stated <= len(body) {
		ext := body[stated:]
		if stated >= minOriginal || Valid(ext) == nil {
			if len(ext) >= extensionHeaderLen {
				r.Ext, r.ExtCompliant = ext, true
			}
			return body[:stated]
		}
	}
	if len(body) >= minOriginal+extensionHeaderLen && Valid(body[minOriginal:]) == nil {
		r.Ext = body[minOriginal:]
		return body[:minOriginal]
	}
	return body
}
