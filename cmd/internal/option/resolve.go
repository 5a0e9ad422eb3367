package option

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// The texts of getaddrinfo(3) in the C library, by its error codes.
const (
	errUnknownName lookupError = "Name or service not known"                 // EAI_NONAME
	errNoAddress   lookupError = "No address associated with hostname"       // EAI_NODATA
	errFamily      lookupError = "Address family for hostname not supported" // EAI_ADDRFAMILY
	errTryAgain    lookupError = "Temporary failure in name resolution"      // EAI_AGAIN
)

type lookupError string

func (e lookupError) Error() string { return string(e) }

// causedError is a lookupError with the error that led to it.
type causedError struct {
	lookupError
	cause error
}

func (e *causedError) Unwrap() []error { return []error{e.lookupError, e.cause} }

// HostResolver is the Resolver that asks the hosts file and name servers as
// the system is set up to. Addresses in text form it reads itself, as the C
// library does. The zero value is ready to use.
type HostResolver struct {
	// Names looks host names up; nil is net.DefaultResolver.
	Names interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	}
}

// Lookup implements [Resolver]. The error unwraps to the one of net.
func (r HostResolver) Lookup(ctx context.Context, name string, family int) ([]netip.Addr, error) {
	return r.lookup(ctx, name, family, systemInterfaces{})
}

func (r HostResolver) lookup(ctx context.Context, name string, family int, known interfaces) ([]netip.Addr, error) {
	if a, ok := parseIPv4(name); ok {
		if family == 6 {
			return nil, errFamily
		}
		return []netip.Addr{a}, nil
	}
	if a, ok := parseIPv6(name, known); ok {
		if family == 4 {
			if !a.Is4In6() {
				return nil, errFamily
			}
			a = a.Unmap()
		}
		return []netip.Addr{a}, nil
	}
	return r.lookupName(ctx, name, family)
}

func (r HostResolver) lookupName(ctx context.Context, name string, family int) ([]netip.Addr, error) {
	// Digits and dots that are no address aren't taken for a name where only an
	// IPv4 address will do.
	if !isHostName(name) || family == 4 && strings.Trim(name, "0123456789.") == "" && !strings.HasSuffix(name, ".") {
		return nil, errUnknownName
	}
	names := r.Names
	if names == nil {
		names = net.DefaultResolver
	}
	network := map[int]string{0: "ip", 4: "ip4", 6: "ip6"}[family]
	addrs, err := names.LookupNetIP(ctx, network, name)
	switch {
	case err == nil && len(addrs) > 0:
		for i := range addrs {
			addrs[i] = addrs[i].Unmap()
		}
		return addrs, nil
	case err == nil:
		return nil, errNoAddress
	case !isNotFound(err):
		return nil, &causedError{errTryAgain, err}
	case family != 0:
		// Go doesn't tell a name without an address of the family from one that
		// doesn't exist, C does.
		if _, other := names.LookupNetIP(ctx, "ip", name); other == nil {
			return nil, &causedError{errNoAddress, err}
		}
	}
	return nil, &causedError{errUnknownName, err}
}

// isNotFound tells whether the answer was that there is no such address,
// rather than that there was no answer.
func isNotFound(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	// A hosts file that has only the other family's addresses.
	var addr *net.AddrError
	return errors.As(err, &addr)
}

// isHostName tells whether the C library would look a name up at all: up to
// 253 bytes of labels of up to 63 letters, digits, '-' and '_', with no '-' at
// the very start. A dot may end it, or be all of it.
func isHostName(name string) bool {
	if name == "." {
		return true
	}
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 || strings.HasPrefix(name, "-") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if c := label[i]; digit(c) >= 36 && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

type systemInterfaces struct{}

func (systemInterfaces) exists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

func (systemInterfaces) name(index int) (string, bool) {
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return "", false
	}
	return i.Name, true
}
