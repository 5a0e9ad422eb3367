package frame

import "encoding/binary"

// ICMP header, RFC 792 and RFC 4443 section 2.1: offsets in bytes. The four
// bytes from 4 on mean something else in each type.
const (
	icmpTypeAt       = 0
	icmpCodeAt       = 1
	icmpChecksumAt   = 2
	icmpIDAt         = 4 // echo
	icmpSeqAt        = 6 // echo
	icmpHeaderLen    = 8
	icmpv4LengthAt   = 5 // RFC 4884 section 4: original datagram in words of 4 bytes
	icmpv6LengthAt   = 4 // RFC 4884 section 4: original datagram in words of 8 bytes
	icmpv4MTUAt      = 6 // RFC 1191 section 4, 16 bits
	icmpv6MTUAt      = 4 // RFC 4443 section 3.2, 32 bits
	icmpv4LengthWord = 4 // bytes in a word at icmpv4LengthAt
	icmpv6LengthWord = 8 // bytes in a word at icmpv6LengthAt
)

// ICMP types, RFC 792.
const (
	icmpv4EchoReply    = 0
	icmpv4Unreachable  = 3
	icmpv4SourceQuench = 4
	icmpv4Redirect     = 5
	icmpv4EchoRequest  = 8
	icmpv4TimeExceeded = 11
	icmpv4ParamProblem = 12

	icmpv4CodeTooBig = 4 // of icmpv4Unreachable
)

// ICMPv6 types, RFC 4443.
const (
	icmpv6Unreachable  = 1
	icmpv6TooBig       = 2
	icmpv6TimeExceeded = 3
	icmpv6ParamProblem = 4
	icmpv6EchoRequest  = 128
	icmpv6EchoReply    = 129
)

func decodeICMPv4(s *segment, r *Reply) {
	b := s.data
	if len(b) < icmpHeaderLen {
		r.Kind = KindTruncated
		return
	}
	r.Type, r.Code = b[icmpTypeAt], b[icmpCodeAt]
	if s.whole {
		r.Checksum = verdict(Sum(b, 0))
	}
	extended := false
	switch r.Type {
	case icmpv4TimeExceeded:
		r.Kind, extended = KindTimeExceeded, true
	case icmpv4Unreachable:
		r.Kind, extended = KindUnreachable, true
		if r.Code == icmpv4CodeTooBig {
			r.Kind = KindTooBig
			r.MTU = uint32(binary.BigEndian.Uint16(b[icmpv4MTUAt:]))
		}
	case icmpv4ParamProblem:
		r.Kind, extended = KindParamProblem, true
	case icmpv4EchoReply:
		decodeEchoReply(b, r)
		return
	case icmpv4Redirect:
		r.Kind = KindRedirect
	case icmpv4SourceQuench:
		r.Kind = KindSourceQuench
	default:
		r.Kind = KindICMPOther
		return
	}
	original := b[icmpHeaderLen:]
	r.Body = original
	if stated := int(b[icmpv4LengthAt]) * icmpv4LengthWord; extended && mayHoldExtensions(original, stated) {
		original = r.takeExtensions(original, stated)
	}
	decodeQuote(original, &r.Quote)
}

func decodeICMPv6(s *segment, r *Reply) {
	b := s.data
	if len(b) < icmpHeaderLen {
		r.Kind = KindTruncated
		return
	}
	r.Type, r.Code = b[icmpTypeAt], b[icmpCodeAt]
	if s.whole {
		r.Checksum = verify(s.addrs, b, protoICMPv6)
	}
	extended := false
	switch r.Type {
	case icmpv6TimeExceeded:
		r.Kind, extended = KindTimeExceeded, true
	case icmpv6Unreachable:
		r.Kind, extended = KindUnreachable, true
	case icmpv6TooBig:
		r.Kind = KindTooBig
		r.MTU = binary.BigEndian.Uint32(b[icmpv6MTUAt:])
	case icmpv6ParamProblem:
		r.Kind = KindParamProblem
	case icmpv6EchoReply:
		decodeEchoReply(b, r)
		return
	default:
		r.Kind = KindICMPOther
		return
	}
	original := b[icmpHeaderLen:]
	r.Body = original
	if stated := int(b[icmpv6LengthAt]) * icmpv6LengthWord; extended && mayHoldExtensions(original, stated) {
		original = r.takeExtensions(original, stated)
	}
	decodeQuote(original, &r.Quote)
}

func decodeEchoReply(b []byte, r *Reply) {
	r.Kind = KindEchoReply
	r.SrcPort = binary.BigEndian.Uint16(b[icmpIDAt:])
	r.DstPort = r.SrcPort
	r.Seq = uint32(binary.BigEndian.Uint16(b[icmpSeqAt:]))
	r.Mark, r.Marked = readMark(b, icmpPattern)
}
