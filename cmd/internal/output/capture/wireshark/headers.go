// Package wireshark helps tests that have Wireshark read packets.
package wireshark

import (
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// protocols are what tshark takes apart. Ports are random, and it must not guess
// from them what the payload could be.
var protocols = []string{
	"frame", "eth", "ethertype", "ip", "ipv6", "ipv6.fraghdr", "ipv6.routing", "ipv6.hopopts", "ipv6.dstopts",
	"udp", "udplite", "tcp", "icmp", "icmpv6", "dccp", "data", "_ws.malformed", "_ws.expert",
}

// unread is the arguments that switch every other protocol off.
var unread = sync.OnceValues(func() (args []string, err error) {
	out, err := exec.Command("tshark", "-G", "protocols").Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(line, "\t"); len(fields) >= 3 && !slices.Contains(protocols, strings.TrimSpace(fields[2])) {
			args = append(args, "--disable-protocol", strings.TrimSpace(fields[2]))
		}
	}
	return args, err
})

// Headers is what tshark, which must be installed, prints of a capture's headers
// with these arguments.
func Headers(file string, args ...string) (string, error) {
	others, err := unread()
	if err != nil {
		return "", err
	}
	out, err := exec.Command("tshark", slices.Concat([]string{"-n", "-r", file}, args, others)...).Output()
	return string(out), err
}
