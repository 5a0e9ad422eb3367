package anomaly

import (
	"math/bits"
	"strings"
)

// Flag is a set of anomalies.
type Flag uint64

// The anomalies. List says what each means and does.
const (
	TTL Flag = 1 << iota
	DSCP
	ECN
	LengthSwapped
	LengthShort
	Length
	IDZero
	IDSwapped
	IDPlusOne
	ID
	FragmentBits
	IPChecksum
	IPOptions
	Label
	ExtensionHeaders
	Protocol
	Source
	Destination
	SourcePort
	DestinationPort
	UDPLength
	ChecksumZero
	ChecksumStale
	ChecksumPartial
	Checksum
	ChecksumUpdated
	ChecksumRestored
	ICMPType
	ICMPSequence
	TCPSequence
	TCPAck
	TCPOffset
	TCPFlags
	TCPWindow
	TCPUrgent
	TCPMSS
	TCPOptions
	Payload

	Truncated
	Malformed
	Fragment
	Encapsulated
	Translated

	Duplicate
	Late
	Resent
	Cut
	ReplyChecksum
	FromTarget
	OtherAddress
	ExtNoLength
	ExtVersion
	ExtChecksum
	ExtObjects

	Ambiguous
	Foreign
	Spoofed
	Stray
	end
)

// Effect is what an anomaly does to the verdict on a reply.
type Effect uint8

// The effects.
const (
	Note    Effect = iota // told, and nothing else
	Rewrite               // the reply is taken and called rewritten
	Form                  // the reply is taken, if one probe fits, and called by the anomaly's name
	Reject                // the reply is taken for no probe and called by the anomaly's name
)

// String gives the effect in one lower-case word.
func (e Effect) String() string {
	switch e {
	case Note:
		return "note"
	case Rewrite:
		return "rewrite"
	case Form:
		return "form"
	case Reject:
		return "reject"
	}
	return "invalid"
}

// Kind describes one anomaly.
type Kind struct {
	Flag    Flag
	Name    string // lower-case words with hyphens, stable
	Effect  Effect
	Meaning string // one line
}

// Rewrites is the set of all anomalies with the effect Rewrite.
var Rewrites = func() Flag {
	var all Flag
	for _, k := range kinds {
		if k.Effect == Rewrite {
			all |= k.Flag
		}
	}
	return all
}()

// List gives all anomalies in the order of their flags.
func List() []Kind { return append([]Kind(nil), kinds[:]...) }

// Find gives the anomaly with the name, and whether there is one.
func Find(name string) (Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Each calls f for every single anomaly of the set, in the order of List.
func (f Flag) Each(do func(Kind)) {
	for rest := f & (end - 1); rest != 0; rest &= rest - 1 {
		do(kinds[bits.TrailingZeros64(uint64(rest))])
	}
}

// Names gives the names of the set, in the order of List.
func (f Flag) Names() []string {
	var names []string
	f.Each(func(k Kind) { names = append(names, k.Name) })
	return names
}

// String lists the names with commas between, or gives "none".
func (f Flag) String() string {
	if f&(end-1) == 0 {
		return "none"
	}
	return strings.Join(f.Names(), ",")
}
