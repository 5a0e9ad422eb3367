package internet

import (
	"fmt"
	"net/netip"
	"time"
)

// A RangeError is the error of a number or time of a Config that is out of range.
type RangeError struct {
	Field           string // of the Config, or what of it
	Value, Low, Top any    // ints or Durations
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("internet: %s %v is not within %v..%v", e.Field, e.Value, e.Low, e.Top)
}

// Check tells what is out of range in a Config, as Start does.
func (c Config) Check() error {
	c = c.withDefaults()
	return c.check()
}

// check finds what is out of range in a Config with its defaults.
func (c *Config) check() error {
	numbers := []struct {
		name            string
		value, low, top int
	}{
		{"MinHops", c.MinHops, 1, MaxLength},
		{"MaxHops", c.MaxHops, c.MinHops, MaxLength},
		{"Shared", c.Shared, 0, MaxLength},
		{"Silent", c.Silent, 0, 100},
		{"SilentHosts", c.SilentHosts, 0, 100},
		{"Minimal", c.Minimal, 0, 100},
		{"Labeled", c.Labeled, 0, 100 - c.Minimal},
		{"Diamonds", c.Diamonds, 0, 100},
		{"Loops", c.Loops, 0, 100},
		{"Unreachable", c.Unreachable, 0, 100 - c.Loops},
		{"Limited", c.Limited, 0, 100},
		{"LimitBurst", c.LimitBurst, 1, 1_000_000},
		{"Duplicates", c.Duplicates, 0, 100},
		{"Late", c.Late, 0, 100 - c.Duplicates},
		{"Guarded", c.Guarded, 0, 100},
		{"Services", c.Services, 0, 100},
		{"number of Open ports", len(c.Open), 0, MaxOpen},
		{"length of Routers4", c.Routers4.Bits(), 8, 24},
		{"length of Routers6", c.Routers6.Bits(), 64, 64},
		{"Backlog", c.Backlog, 0, 1 << 30},
	}
	for _, n := range numbers {
		if n.value < n.low || n.value > n.top {
			return &RangeError{n.name, n.value, n.low, n.top}
		}
	}
	for _, d := range []struct {
		name       string
		value, top time.Duration
	}{{"LimitEvery", c.LimitEvery, 24 * time.Hour}, {"LateBy", c.LateBy, time.Hour}} {
		if d.value < time.Microsecond || d.value > d.top {
			return &RangeError{d.name, d.value, time.Microsecond, d.top}
		}
	}
	for _, a := range []netip.Addr{c.Gateway4, c.Source4.Addr(), c.Routers4.Addr()} {
		if !a.Is4() || !isHost(a) {
			return fmt.Errorf("internet: %s is not the IPv4 address of a host", a)
		}
	}
	for _, a := range []netip.Addr{c.Gateway6, c.Source6.Addr(), c.Routers6.Addr()} {
		if !a.Is6() || a.Is4In6() || a.Zone() != "" || !isHost(a) {
			return fmt.Errorf("internet: %s is not the IPv6 address of a host", a)
		}
	}
	return nil
}

// isHost tells whether a probe may come from or go to the address.
func isHost(a netip.Addr) bool {
	if a.Is4() {
		first := a.As4()[0]
		return first != 0 && first != 127 && first < 224
	}
	hi, lo := halves(a)
	return hi>>56 != 0xff && hi>>54 != 0xfe80>>6 && (hi != 0 || lo > 1)
}
