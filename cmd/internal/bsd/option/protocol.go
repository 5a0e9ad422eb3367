package option

import (
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/option"
)

// Protocol is what probes are made of.
type Protocol struct {
	Kind   Kind
	Number uint8  // IP protocol number
	header int    // bytes behind the IP header at least
	port   uint16 // base port where -p does not say
}

// Kind is the layout of a probe behind its IP header.
type Kind uint8

// The layouts. Generic is a 16-bit identifier and a 16-bit number, for every
// protocol that has no layout of its own.
const (
	Generic Kind = iota
	UDP
	UDPLite
	TCP
	SCTP
	GRE
	ICMP
)

// firstPort is the default base of the protocols with ports.
const firstPort = 33434

// protocols are the known ones. ICMP probes carry 20 bytes at least, where the
// original kept its clock.
var protocols = map[string]Protocol{
	"udp":     {UDP, 17, 8, firstPort},
	"udplite": {UDPLite, 136, 8, firstPort},
	"tcp":     {TCP, 6, 20, firstPort},
	"sctp":    {SCTP, 132, 16, firstPort},
	"gre":     {GRE, 47, 8, 0},
	"icmp":    {ICMP, 1, 28, 0},
}

const genericHeader = 4

// protocol reads the value of -P: a name, of protocols(5) too, or a number.
func protocol(v string) (Protocol, error) {
	if p, ok := protocols[strings.ToLower(v)]; ok {
		return p, nil
	}
	n, ok := option.ProtocolNumber(v)
	if !ok {
		value, err := number(v, "proto number", 1, 255)
		if err != nil {
			return Protocol{}, err
		}
		n = uint8(value)
	}
	for _, p := range protocols {
		if p.Number == n {
			return p, nil
		}
	}
	return Protocol{Kind: Generic, Number: n, header: genericHeader}, nil
}
