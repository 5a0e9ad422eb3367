package attribute

import (
	"strings"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// Evidence is what a reply and a packet have in common.
type Evidence uint16

// The pieces of evidence.
const (
	// Source and Destination are the addresses. Behind a translator the IPv4
	// address inside the IPv6 one counts.
	Source Evidence = 1 << iota
	Destination
	// SourcePort is the source port or the ICMP type and identifier,
	// DestinationPort the destination port or the ICMP type.
	SourcePort
	DestinationPort
	// Identification is that of IPv4, or the flow label of IPv6, if not 0.
	Identification
	// NearIdentification is one with its bytes swapped or one more.
	NearIdentification
	// Word is the TCP or ICMP sequence, or a checksum that came back as sent
	// or as the other changes make it.
	Word
	// Erased means that nothing speaks against the packet but zeros:
	// identification, sequence and checksum agree or are 0.
	Erased
	// Short means fewer than 8 transport bytes, Later a later fragment.
	Short
	Later
)

var evidenceNames = [...]string{"source", "destination", "source port", "destination port",
	"identification", "near identification", "word", "erased", "short", "later fragment"}

// String lists the pieces with " + " between.
func (e Evidence) String() string {
	var parts []string
	for i, name := range evidenceNames {
		if e&(1<<i) != 0 {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, " + ")
}

const (
	addresses = Source | Destination
	ports     = SourcePort | DestinationPort
)

// Rule is one line of the table by which replies are attributed.
type Rule struct {
	Name    string
	Need    Evidence
	Meaning string
}

// Rules lists the rules, the strongest first. A reply goes to the packet that
// the first rule with any candidate leaves alone; if it leaves several, the
// one candidate that also agrees in every further quoted byte, in the IP
// length, and that alone still waits for an answer, in this order.
func Rules() []Rule { return append([]Rule(nil), rules[:]...) }

var rules = [...]Rule{
	{"whole", addresses | ports | Identification | Word, "nothing that tells packets apart was changed"},
	{"transport", addresses | ports | Word, "IPv6; or the identification was changed"},
	{"identification", addresses | ports | Identification, "the sequence or checksum was changed"},
	{"near-identification", addresses | ports | NearIdentification, "the same, and the identification swapped or one more"},
	{"source-changed", Destination | DestinationPort | Identification | Word, "source address, port or identifier translated"},
	{"ports-changed", Destination | Identification | Word, "both ports translated"},
	{"source-changed-word", Destination | DestinationPort | SourcePort | Word, "source address translated, identification changed"},
	{"destination-changed", ports | Identification | Word, "destination or both addresses translated"},
	{"destination-changed-id", Source | ports | Identification | Erased, "destination translated, checksum cleared"},
	{"destination-changed-word", Source | ports | Word, "destination translated, identification changed"},
	{"nat-id", Destination | DestinationPort | Identification | Erased, "source and port translated, checksum cleared"},
	{"nat-word", Destination | DestinationPort | Word | Erased, "source and port translated, identification cleared"},
	{"ports", addresses | ports | Erased, "identification and checksum were cleared or never there"},
	{"short", addresses | Identification | Short, "fewer than 8 transport bytes came back"},
	{"later-fragment", addresses | Identification | Later, "a later fragment is quoted"},
}

// weigh compares a quote with a remembered packet. p and q are the headers,
// e and f the fields of both.
func weigh(p, q *anomaly.Header, e, f *fields) Evidence {
	var have Evidence
	if e.protocol != f.protocol {
		return 0
	}
	cross := e.v6() != f.v6()
	switch {
	case e.dst == f.dst, cross && anomaly.Tail(e.dst) == anomaly.Tail(f.dst):
		have |= Destination
	}
	if e.src == f.src || cross && anomaly.Tail(e.src) == anomaly.Tail(f.src) {
		have |= Source
	}
	clean := true // nothing contradicts but zeros
	if !cross && e.have&f.have&hasID != 0 {
		switch {
		case e.id == f.id:
			have |= Identification
		case nearID(e.id, f.id, e.v6()):
			have |= NearIdentification
		default:
			clean = false
		}
	} else if f.have&hasID != 0 && !cross {
		clean = false
	}
	if f.offset != 0 {
		// Only the IP header tells. The right fragment is preferred by its bytes.
		if e.offset == f.offset || e.offset == 0 {
			have |= Later
		}
		return have
	}
	if e.offset != 0 {
		return 0
	}
	if f.have&e.have&hasPorts != 0 {
		if e.sport == f.sport {
			have |= SourcePort
		}
		if e.dport == f.dport {
			have |= DestinationPort
		}
		if e.protocol == protoICMP && have&ports != ports {
			have &^= ports // one type says nothing
		}
	}
	if len(q.Transport) < 8 && (f.have&hasPorts == 0 || have&ports == ports) {
		have |= Short
	}
	same, against := compareWord(p, q, e, f)
	if same {
		have |= Word
	}
	if clean && !against {
		have |= Erased
	}
	return have
}

// compareWord tells whether the word of both agrees, and whether it speaks
// against them being one packet. A sequence that agrees under a checksum that
// does not, and that no other change explains, was made to agree.
func compareWord(p, q *anomaly.Header, e, f *fields) (same, against bool) {
	flag, sum := anomaly.CompareChecksum(p, q)
	switch e.protocol {
	case protoTCP, protoICMP:
		if e.have&f.have&hasWord == 0 {
			return false, false
		}
		return e.word == f.word && flag != anomaly.Checksum, e.word != f.word && f.word != 0
	}
	return sum, flag == anomaly.Checksum
}

// nearID tells whether the quoted identification is the sent one with its
// bytes swapped, or one more.
func nearID(sent, quoted uint32, v6 bool) bool {
	if v6 {
		return false
	}
	return quoted == sent>>8|sent&0xff<<8 || uint16(quoted) == uint16(sent+1)
}
