package option

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/option"
)

// Resolver finds hosts.
type Resolver interface {
	// Lookup gives the addresses of a host of the family 4, as
	// [option.HostResolver] does.
	Lookup(ctx context.Context, name string, family int) ([]netip.Addr, error)
	// LookupCNAME gives the canonical name, with or without a final dot.
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// System is the machine's own Resolver.
type System struct{ option.HostResolver }

// LookupCNAME implements [Resolver].
func (System) LookupCNAME(ctx context.Context, host string) (string, error) {
	return net.DefaultResolver.LookupCNAME(ctx, host)
}

type host struct {
	name string
	addr netip.Addr
}

// find resolves a host; warn says when there was a choice.
func (p *parser) find(word string, warn bool) (host, error) {
	addrs, err := p.in.Hosts.Lookup(p.ctx, word, 4)
	if err != nil || len(addrs) == 0 {
		return host{}, errUnknown(word)
	}
	h := host{word, addrs[0]}
	if isAddress(word) {
		return h, nil
	}
	if warn && len(addrs) > 1 {
		p.warn("%s has multiple addresses; using %s", word, h.addr)
	}
	if name, err := p.in.Hosts.LookupCNAME(p.ctx, word); err == nil && isPrintable(name) {
		h.name = strings.TrimSuffix(name, ".")
	}
	return h, nil
}

// isAddress tells a number in one of its notations from a name: those begin
// with a digit and hold nothing but hexadecimal digits, dots and an x.
func isAddress(word string) bool {
	return word != "" && word[0] >= '0' && word[0] <= '9' && strings.Trim(word, "0123456789abcdefABCDEFxX.") == ""
}

// isPrintable tells whether a name that came from the network may be shown.
func isPrintable(name string) bool {
	if strings.TrimSuffix(name, ".") == "" {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return true
}
