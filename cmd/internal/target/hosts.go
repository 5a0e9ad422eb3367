package target

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	// manyHosts is how many host names of a list wait for each other.
	manyHosts = 1024
	// atOnce is how many are looked up at a time: name servers that are asked for
	// many more begin to drop questions.
	atOnce = 8
)

// listed is a host name in a line of a list.
type listed struct {
	name string
	line int
	addr netip.Addr
	err  error
}

// lookUp looks the host names of a list up and adds them in their order, each
// once.
func (r *Reader) lookUp(ctx context.Context, list string, hosts []listed) error {
	var all errgroup.Group
	all.SetLimit(atOnce)
	first := map[string]*listed{}
	for i := range hosts {
		h := &hosts[i]
		if first[h.name] != nil {
			continue
		}
		first[h.name] = h
		all.Go(func() error {
			h.addr, h.err = r.Lookup(ctx, h.name)
			return nil
		})
	}
	_ = all.Wait()
	for _, h := range hosts {
		err := first[h.name].err
		switch {
		case err == nil:
			a := first[h.name].addr
			err = r.Add(a, a)
		case r.LeaveOut != nil && ctx.Err() == nil:
			r.LeaveOut(fmt.Sprintf("%s, line %d", list, h.line), h.name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", list, h.line, err)
		}
	}
	return nil
}

// mayBeName is the error of what can't be a host name, or stands where none may
// be.
func (r *Reader) mayBeName(text string) error {
	switch {
	case r.Lookup == nil:
		return fmt.Errorf("%.80q: want an address, a prefix or a range of addresses", text)
	case !isName(text):
		return fmt.Errorf("%.80q: %w", text, errNoAddress)
	}
	return nil
}

// isName tells whether text can be a host name. Its last label is not all digits
// (RFC 1123, section 2.1), so that a mistyped address is none.
func isName(text string) bool {
	last := strings.TrimSuffix(text, ".")
	if last = last[strings.LastIndexByte(last, '.')+1:]; strings.Trim(last, "0123456789") == "" || text[0] == '-' {
		return false
	}
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(text) <= 255
}

// Resolve gives a Lookup that asks the system for an address of the families
// that may be: network is "ip", "ip4" or "ip6". IPv4 is preferred.
func Resolve(network string) func(context.Context, string) (netip.Addr, error) {
	return func(ctx context.Context, host string) (netip.Addr, error) {
		all, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("target %s: %w", host, err)
		}
		for _, a := range all {
			if a = a.Unmap(); a.Is4() {
				return a, nil
			}
		}
		return all[0].WithZone(""), nil
	}
}
