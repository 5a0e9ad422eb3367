package jsonout

import (
	"errors"
	"net/netip"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
)

// registry knows the origins of one router, that there are none of another,
// and fails for the rest.
type registry struct{}

func (registry) Lookup(a netip.Addr) (asn.Result, error) {
	switch a {
	case addr("10.1.1.1"):
		return asn.Result{Origins: []string{"AS200", "AS300"}, Prefix: netip.MustParsePrefix("10.1.0.0/16")}, nil
	case addr("10.1.2.1"):
		return asn.Result{}, nil
	}
	return asn.Result{}, errors.New("whois.example.net/nicname: no such host")
}

// interfaces is an extension structure with interface information (RFC 5837):
// all of the interface by which the probe came, the next hop's address, and an
// object that ends too early. The name holds what could forge a line.
var interfaces = []byte{
	0x20, 0, 0, 0,
	0, 32, 2, 0x0f, 0, 0, 2, 0x9a, 0, 1, 0, 0, 10, 0, 0, 1, 12, 'g', 'e', '-', '0', '\n', 0xff, '/', '1', 0, 0, 0, 0, 0, 0x23, 0x28,
	0, 12, 2, 0xc4, 0, 1, 0, 0, 192, 0, 2, 1,
	0, 8, 2, 0x4c, 0, 0, 0, 7,
}
