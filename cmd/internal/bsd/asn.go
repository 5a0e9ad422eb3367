package bsd

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
)

// numberASes looks AS numbers up from now on, at the whois server of -A or
// else of RA_SERVER. The function that it gives ends that.
func (s *session) numberASes() (func(), error) {
	source, err := asn.Open("whois", asn.Config{Getenv: func(name string) string {
		if name == "RA_SERVER" && s.opts.ASServer != "" {
			return s.opts.ASServer
		}
		return os.Getenv(name)
	}})
	if err != nil {
		return nil, err
	}
	told := false
	s.asn = func(a netip.Addr) string {
		r, err := source.Lookup(a)
		if err != nil && !told {
			told = true
			fmt.Fprintf(s.stderr, "\ntraceroute: Warning: no AS numbers: %v\n", err)
		}
		if err != nil {
			return "!!"
		}
		return r.String()
	}
	return source.Close, nil
}
