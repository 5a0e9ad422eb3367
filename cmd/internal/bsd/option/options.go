// Package option is the command line of LBL and BSD traceroute: its grammar,
// its limits and its messages.
package option

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Options is what a command line asks for.
type Options struct {
	Host string     // canonical name, or the address as typed
	Addr netip.Addr // IPv4
	// Gateways to pass on the way, in order; at most MaxGateways.
	Gateways []netip.Addr
	// Source is the name for SourceAddr, as Host is for Addr; empty: the
	// kernel chooses.
	Source     string
	SourceAddr netip.Addr
	Interface  string // empty: the route's

	First, Last int
	Queries     int
	Wait, Pause time.Duration
	Protocol    Protocol
	Port        uint16 // base, or the port itself with FixedPort
	Size        int    // whole IP length of a probe in bytes
	TOS         uint8

	ASN      bool   // look AS numbers up
	ASServer string // whois server for that; empty: the default

	Diff         bool // show how quotes differ from what was sent
	DontFragment bool
	DontRoute    bool
	FixedPort    bool
	Numeric      bool
	NoChecksum   bool
	Summary      bool
	Verbose      int // how many times -v was given
}

// MaxGateways is how many gateways an IPv4 header has room for (RFC 791: 40
// bytes of options), the last of nine slots being the target.
const MaxGateways = 8

// ErrUsage says that the command line is of no form that Usage knows.
var ErrUsage = errors.New("usage")

// Refusal is an error whose text is the program's message for it.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Limits of the values.
const (
	maxWait  = 24 * 60 * 60     // seconds
	maxPause = 60 * 60 * 1000   // milliseconds
	maxSize  = 32768            // bytes
	noLimit  = int64(1)<<31 - 1 // of a value without a maximum
	ipHeader = 20               // bytes, RFC 791 without options
	minTotal = 40               // bytes, unless the headers need more
)
