// Package target reads what a survey is to probe, or to leave alone: addresses,
// prefixes, ranges and host names, one by one or from files.
package target

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// Reader reads lists of targets into a function, such as space.Builder's Add.
type Reader struct {
	// Add takes the addresses from first to last.
	Add func(first, last netip.Addr) error
	// Stdin is what "-" reads; nil where "-" means nothing.
	Stdin io.Reader
	// Lookup resolves host names; nil where none may be given. It is called by
	// several goroutines at once.
	Lookup func(ctx context.Context, host string) (netip.Addr, error)
	// LeaveOut is told of host names in lists that Lookup gave an error for, at
	// which place, and that error: the rest of the list is read. nil: it is not.
	LeaveOut func(place, host string, err error)
}

// Stdin is the argument that reads standard input.
const Stdin = "-"

// Argument reads one argument: what an item of a list may be, "-", or a file's
// name, which has a slash in it that is no prefix's, or is that of a file.
func (r *Reader) Argument(ctx context.Context, arg string) error {
	if arg == Stdin && r.Stdin != nil {
		return r.List(ctx, "standard input", r.Stdin)
	}
	err := r.addresses(arg)
	if !errors.Is(err, errNoAddress) {
		return err
	}
	info, statErr := os.Stat(arg)
	switch addr, bits, slash := strings.Cut(arg, "/"); {
	case statErr == nil && !info.IsDir():
		return r.file(ctx, arg)
	case slash && statErr != nil && isAddress(addr):
		return fmt.Errorf("prefix %s: there is no length %q for %s", arg, bits, addr)
	case slash:
		return r.file(ctx, arg)
	case r.Lookup == nil && statErr != nil && arg != "":
		return fmt.Errorf("%.80q: it is no address, prefix or range of addresses, and there is no file of that name", arg)
	}
	if err := r.mayBeName(arg); err != nil {
		return err
	}
	a, err := r.Lookup(ctx, arg)
	if err == nil {
		return r.Add(a, a)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fmt.Errorf("target %s: there is no file and no host of that name", arg)
	}
	return err
}

func (r *Reader) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Errorf("list %s: %w", name, err)
	}
	defer f.Close()
	return r.List(ctx, name, f)
}

// maxLine bounds a line of a list, in bytes.
const maxLine = 1 << 16

// List reads a list with an item in each line. What follows a blank, a comma or
// # is ignored, as are lines without an item: lists have columns, and comments.
// Further addresses in a line are refused, unless they are comments: nobody knows
// whether they are meant. Host names are looked up several at a time, and added in
// their order. name is for errors.
func (r *Reader) List(ctx context.Context, name string, from io.Reader) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	hosts := make([]listed, 0, manyHosts)
	n := 0
	for lines.Scan() {
		n++
		item := lines.Bytes()
		if n == 1 {
			item = bytes.TrimPrefix(item, []byte("\ufeff")) // some editors begin files with it
		}
		item, _, _ = bytes.Cut(bytes.TrimLeft(item, " \t\r"), []byte("#"))
		var rest []byte
		if i := bytes.IndexAny(item, ", \t\r"); i >= 0 {
			item, rest = item[:i], item[i:]
		}
		if len(item) == 0 {
			continue
		}
		err := another(rest)
		if err == nil {
			err = r.addresses(string(item))
		}
		if errors.Is(err, errNoAddress) {
			if err = r.mayBeName(string(item)); err == nil {
				hosts = append(hosts, listed{name: string(item), line: n})
			}
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if len(hosts) == cap(hosts) {
			if err := r.lookUp(ctx, name, hosts); err != nil {
				return err
			}
			hosts = hosts[:0]
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s, line %d: longer than %d bytes", name, n+1, maxLine)
	} else if err != nil {
		return fmt.Errorf("%s, line %d: %w", name, n+1, err)
	}
	return r.lookUp(ctx, name, hosts)
}

// another finds a further address, prefix or range in what follows an item.
func another(rest []byte) error {
	for field := range bytes.FieldsFuncSeq(rest, func(c rune) bool { return strings.ContainsRune(", \t\r", c) }) {
		if _, _, err := Parse(string(field)); !errors.Is(err, errNoAddress) {
			return fmt.Errorf("%.80q is a second item: want one in each line, and ranges without blanks", field)
		}
	}
	return nil
}

// errNoAddress is the error of what may be a file or a host name.
var errNoAddress = errors.New("want an address, a prefix, a range of addresses or a host name")

// addresses reads one address, prefix or range.
func (r *Reader) addresses(text string) error {
	first, last, err := Parse(text)
	if err != nil {
		return err
	}
	return r.Add(first, last)
}

// Parse takes an address, a prefix such as 192.0.2.0/24, or a range such as
// 192.0.2.1-192.0.2.9 apart. The bits behind a prefix must be zero.
func Parse(text string) (first, last netip.Addr, err error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return single(text, a)
	}
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			return first, last, errNoAddress
		case p.Addr().Is4In6():
			return first, last, fmt.Errorf("prefix %s: write it as IPv4", text)
		case p.Masked() != p:
			return first, last, fmt.Errorf("prefix %s: bits behind its length are set, did you mean %s?", text, p.Masked())
		}
		first, last = space.Ends(p)
		return first, last, nil
	}
	from, to, found := strings.Cut(text, "-")
	if !found {
		return first, last, errNoAddress
	}
	if first, err = netip.ParseAddr(from); err != nil {
		return first, last, errNoAddress
	}
	if last, err = netip.ParseAddr(to); err != nil {
		return first, last, fmt.Errorf("range %s: %q is no address", text, to)
	}
	first, last = first.Unmap(), last.Unmap()
	switch {
	case first.Zone() != "" || last.Zone() != "":
		err = fmt.Errorf("range %s: zones are not possible", text)
	case first.Is4() != last.Is4():
		err = fmt.Errorf("range %s: its ends are of different families", text)
	case last.Less(first):
		err = fmt.Errorf("range %s ends before it begins", text)
	}
	return first, last, err
}

func single(text string, a netip.Addr) (first, last netip.Addr, err error) {
	if a.Zone() != "" {
		return a, a, fmt.Errorf("address %s: zones are not possible", text)
	}
	a = a.Unmap()
	return a, a, nil
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
