package text

import (
	"fmt"
	"strings"
)

// header names the fields of an IPv4 header in as many columns as their bytes
// take in hexadecimal: version and header length, TOS, length, identification,
// fragment, TTL, protocol, checksum, source, destination.
const header = "vhtslengid  fragtlprcsumsource  target  "

// keys name the fields of the transport header, likewise.
var keys = map[byte]string{
	1:   "tpcdcsumid  seq ",
	6:   "src dst seq     ack     offlwindcsumurg ",
	17:  "src dst lengcsum",
	47:  "flagprotleng id  ",
	132: "src dst tag     crc     ",
	136: "src dst covrcsum",
}

const (
	protocolAt  = 9 // RFC 791 section 3.1
	plainHeader = 20
)

// appendDiff shows a packet as it left and what was quoted of it, in three
// lines: the names of the fields, the bytes sent, and the bytes quoted with
// "__" for each that is as it was.
func appendDiff(b, sent, quote []byte) []byte {
	b = append(b, '\n')
	b = append(b, key(sent)...)
	b = fmt.Appendf(b, "\n%x\n", sent)
	for i, c := range quote {
		if i < len(sent) && sent[i] == c {
			b = append(b, "__"...)
		} else {
			b = fmt.Appendf(b, "%02x", c)
		}
	}
	return append(b, '\n')
}

func key(packet []byte) string {
	if len(packet) < plainHeader {
		return ""
	}
	options := max(int(packet[0]&15)*4-plainHeader, 0)
	return header + fmt.Sprintf("%-*s", options*2, strings.Repeat("options ", min(options, 1))) + keys[packet[protocolAt]]
}
