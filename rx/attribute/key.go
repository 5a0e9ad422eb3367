package attribute

import (
	"fmt"
	"strings"
)

// Key is a way to attribute replies by a few fields, as simpler programs do.
type Key struct {
	Name    string
	Meaning string
	parts   part
	tries   func(f *fields, try int) (hash uint64, ok, more bool) // nil: parts, once
	own     func(f *fields) (uint64, bool)                        // nil: parts
	tie     func(probe, reply *fields) bool                       // chooses from several; nil for none
}

// part is a set of fields that a key is made of.
type part uint16

const (
	partPorts part = 1 << iota
	partID
	partSum
	partSequence
	partLength
	partDst
	partSrc
	partIDLow
	partSrcPort
)

// keys is the table of all keys: fields alone, combined, and with the
// destination; then what known programs do.
var keys = []Key{
	{Name: "ports", Meaning: "both ports; ICMP identifier", parts: partPorts},
	{Name: "id", Meaning: "IPv4 identification, IPv6 flow label", parts: partID},
	{Name: "id+ports", Meaning: "identification and ports", parts: partID | partPorts},
	{Name: "checksum", Meaning: "transport checksum", parts: partSum},
	{Name: "sequence", Meaning: "TCP or echo sequence", parts: partSequence},
	{Name: "length", Meaning: "IP length", parts: partLength},
	{Name: "id+checksum", Meaning: "identification and checksum", parts: partID | partSum},
	{Name: "id+sequence", Meaning: "identification and sequence", parts: partID | partSequence},
	{Name: "dst", Meaning: "destination alone", parts: partDst},
	{Name: "dst+ports", Meaning: "destination and ports", parts: partDst | partPorts},
	{Name: "dst+id", Meaning: "destination and identification", parts: partDst | partID},
	{Name: "dst+checksum", Meaning: "destination and checksum", parts: partDst | partSum},
	{Name: "dst+sequence", Meaning: "destination and sequence", parts: partDst | partSequence},
	{Name: "dst+length", Meaning: "destination and IP length", parts: partDst | partLength},
	{Name: "dst+ports+id", Meaning: "destination, ports and identification", parts: partDst | partPorts | partID},
	{Name: "dst+ports+checksum", Meaning: "destination, ports and checksum", parts: partDst | partPorts | partSum},
	{Name: "dst+ports+length", Meaning: "destination, ports and IP length", parts: partDst | partPorts | partLength},
	{Name: "first-28", Meaning: "all of the first 28 bytes that routers leave alone", own: first28},
	{Name: "traceroute", Meaning: "Linux: addresses and ports; ICMP: destination, identifier and sequence", own: tracerouteKey},
	{Name: "scamper", Meaning: "destination and ports, probe number in checksum or identification, forgiving", own: scamperKey, tries: scamperTries},
	{Name: "yarrp", Meaning: "destination and source port, TTL in the identification's low byte", parts: partDst | partIDLow | partSrcPort},
	{Name: "caracal", Meaning: "destination and ports, TTL in the length, identification checked", own: caracalKey},
	{Name: "dublin", Meaning: "destination, ports and identification all equal", parts: partDst | partPorts | partID | partSrc},
	{Name: "hopquote", Meaning: "addresses, ports, TCP and echo sequence; of several the one with the identification", own: hopquoteKey, tie: tieID},
}

// Keys gives all keys that there are.
func Keys() []Key { return append([]Key(nil), keys...) }

// FindKeys gives the keys with these names, in the order of Keys.
func FindKeys(names []string) ([]Key, error) {
	want := make(map[string]bool)
	for _, n := range names {
		want[n] = true
	}
	var list []Key
	var all []string
	for _, k := range keys {
		all = append(all, k.Name)
		if want[k.Name] {
			list = append(list, k)
			delete(want, k.Name)
		}
	}
	for _, n := range names {
		if want[n] {
			return nil, fmt.Errorf("key %q, want some of %s", n, strings.Join(all, ", "))
		}
	}
	return list, nil
}

func (k *Key) probe(f *fields) (uint64, bool) {
	if k.own != nil {
		return k.own(f)
	}
	return k.parts.hash(f)
}

func (k *Key) reply(f *fields, try int) (hash uint64, ok, more bool) {
	if k.tries != nil {
		return k.tries(f, try)
	}
	hash, ok = k.probe(f)
	return hash, ok, false
}

func (p part) hash(f *fields) (uint64, bool) {
	h := mix(uint64(p), uint64(f.protocol))
	if p&(partID|partIDLow) != 0 && f.have&hasID == 0 ||
		p&(partPorts|partSrcPort) != 0 && f.have&hasPorts == 0 ||
		p&partSum != 0 && f.have&hasSum == 0 ||
		p&partLength != 0 && f.have&hasLength == 0 {
		return 0, false
	}
	if p&partSequence != 0 {
		if f.have&hasWord == 0 || f.protocol != protoTCP && f.protocol != protoICMP {
			return 0, false
		}
		h = mix(h, uint64(f.word))
	}
	if p&partID != 0 {
		h = mix(h, uint64(f.id))
	}
	if p&partIDLow != 0 {
		h = mix(h, uint64(f.id&0xff))
	}
	if p&partPorts != 0 {
		h = mix(h, f.ports())
	}
	if p&partSrcPort != 0 {
		h = mix(h, uint64(f.sport))
	}
	if p&partSum != 0 {
		h = mix(h, uint64(f.sum))
	}
	if p&partLength != 0 {
		h = mix(h, uint64(f.length))
	}
	if p&partDst != 0 {
		h = mixAddr(h, f.dst)
	}
	if p&partSrc != 0 {
		h = mixAddr(h, f.src)
	}
	return h, true
}
