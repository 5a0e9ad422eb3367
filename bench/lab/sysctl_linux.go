package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// setting is one key below /proc/sys and what it is to hold.
type setting struct {
	key, value string
	required   bool
}

// The "default" keys must be set before a namespace's links are made, which
// copy them. A namespace's IPv4 keys start as copies of the machine's.
var (
	hostSettings = []setting{
		{"net/ipv4/conf/all/rp_filter", "0", true},
		{"net/ipv4/conf/default/rp_filter", "0", true},
		{"net/ipv4/ip_forward", "0", true},
		// Not only icmp_ratelimit: at 0 that still empties the allowance which
		// the kernel shares with its limit on answers for want of a route.
		{"net/ipv4/icmp_ratemask", "0", true},
		{"net/ipv4/icmp_ratelimit", "0", true},
		{"net/ipv4/icmp_msgs_per_sec", "1000000", false},
		{"net/ipv4/icmp_msgs_burst", "1000000", false},
		{"net/ipv4/icmp_echo_ignore_all", "0", false},
	}
	hostSettings6 = []setting{
		{"net/ipv6/conf/all/disable_ipv6", "0", true},
		{"net/ipv6/conf/default/disable_ipv6", "0", true},
		{"net/ipv6/conf/all/accept_dad", "0", true},
		{"net/ipv6/conf/default/accept_dad", "0", true},
		{"net/ipv6/conf/default/accept_ra", "0", false},
		{"net/ipv6/conf/default/router_solicitations", "0", false},
		{"net/ipv6/icmp/ratelimit", "0", true},
	}
	routerSettings  = []setting{{"net/ipv4/ip_forward", "1", true}}
	routerSettings6 = []setting{{"net/ipv6/conf/all/forwarding", "1", true}}
)

// haveIPv6 tells whether the kernel has IPv6 at all (ipv6.disable=1 takes it away).
func haveIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6/conf")
	return err == nil
}

// applySettings writes them in the calling thread's namespace. Keys that this
// kernel does not give to a namespace are passed over unless required.
func applySettings(lists ...[]setting) error {
	for _, list := range lists {
		for _, s := range list {
			if err := writeSysctl(s.key, s.value); err != nil && (s.required || !errors.Is(err, fs.ErrNotExist)) {
				return err
			}
		}
	}
	return nil
}

func writeSysctl(key, value string) error {
	if !strings.HasPrefix(key, "net/") || path.Clean(key) != key {
		return fmt.Errorf("lab: sysctl %q: only keys like net/ipv4/ip_forward belong to a namespace", key)
	}
	f, err := os.OpenFile("/proc/sys/"+key, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("lab: sysctl %s=%s: %w", key, value, err)
	}
	_, err = f.WriteString(value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("lab: sysctl %s=%s: %w", key, value, err)
	}
	return nil
}
