package asn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const (
	defaultZone  = "origin.asn.cymru.com"
	defaultZone6 = "origin6.asn.cymru.com"
)

// cymru asks Team Cymru's DNS zones, which are made from BGP tables.
type cymru struct {
	resolver    TXTResolver
	zone, zone6 string
}

func newCymru(cfg Config) *cymru {
	c := &cymru{resolver: cfg.txt(), zone: cfg.Zone, zone6: cfg.Zone6}
	if c.zone == "" {
		c.zone = defaultZone
	}
	if c.zone6 == "" {
		c.zone6 = defaultZone6
	}
	return c
}

func (c *cymru) ask(ctx context.Context, addr netip.Addr) answer {
	texts, err := c.resolver.LookupTXT(ctx, c.question(addr))
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return answer{}
	case err != nil:
		return failed
	}
	return answer{Result: parseCymru(addr, texts)}
}

// question gives the name to ask for: the bytes of an IPv4 address, or the
// nibbles of an IPv6 address, last one first, before the zone.
func (c *cymru) question(addr netip.Addr) string {
	var b strings.Builder
	octets := addr.AsSlice()
	for i := len(octets) - 1; i >= 0; i-- {
		if addr.Is4() {
			b.WriteString(strconv.Itoa(int(octets[i])))
		} else {
			const digits = "0123456789abcdef"
			b.WriteByte(digits[octets[i]&15])
			b.WriteByte('.')
			b.WriteByte(digits[octets[i]>>4])
		}
		b.WriteByte('.')
	}
	zone := c.zone6
	if addr.Is4() {
		zone = c.zone
	}
	// The final dot keeps the resolver from trying its search list.
	return b.String() + strings.TrimSuffix(zone, ".") + "."
}

// parseCymru reads records of "origin… | prefix | country | registry | date".
// A record whose prefix doesn't hold the address says nothing about it.
func parseCymru(addr netip.Addr, texts []string) Result {
	best := longest{addr: addr}
	for _, text := range texts {
		origins, rest, ok := strings.Cut(text, "|")
		if !ok {
			continue
		}
		second, _, _ := strings.Cut(rest, "|")
		prefix, err := netip.ParsePrefix(strings.TrimSpace(second))
		if err != nil || !prefix.Contains(addr) {
			continue
		}
		for origin := range strings.FieldsSeq(origins) {
			if n, ok := parseNumber(origin); ok {
				best.add(prefix.Bits(), prefix, asWord(n))
			}
		}
	}
	return best.result
}
