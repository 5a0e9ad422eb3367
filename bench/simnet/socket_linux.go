package simnet

import (
	"fmt"
	"net"
	"os"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// receiveBuffer is what a burst of thousands of probes needs, in bytes.
const receiveBuffer = 8 << 20

// Listen makes the namespace of the host silent and gives a socket on the
// interface, for all of ARP, IPv4 and IPv6 that comes over the link, and the
// interface's link address, which is Ethernet's.
func Listen(host *lab.Host, name string) (*packet.Conn, [6]byte, error) {
	var conn *packet.Conn
	var mac [6]byte
	if err := silence(host, name); err != nil {
		return nil, mac, err
	}
	err := host.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return fmt.Errorf("simnet: find interface %s of %s: %w", name, host.Name(), err)
		}
		if len(ifi.HardwareAddr) != len(mac) {
			return fmt.Errorf("simnet: interface %s of %s has link address %q: must be Ethernet", name, host.Name(), ifi.HardwareAddr)
		}
		mac = [6]byte(ifi.HardwareAddr)
		filter, err := bpf.Assemble(filter)
		if err != nil {
			return fmt.Errorf("simnet: assemble filter: %w", err)
		}
		if conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, &packet.Config{Filter: filter}); err != nil {
			return fmt.Errorf("simnet: open a packet socket on %s of %s: %w", name, host.Name(), err)
		}
		return nil
	})
	if err != nil {
		return nil, mac, err
	}
	if err := growBuffer(conn); err != nil {
		conn.Close()
		return nil, mac, err
	}
	return conn, mac, nil
}

// filter lets ARP, IPv4 and IPv6 in that came over the link.
var filter = []bpf.Instruction{
	bpf.LoadExtension{Num: bpf.ExtType},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipTrue: 5},
	bpf.LoadAbsolute{Off: 12, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherTypeIPv4, SkipTrue: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherTypeIPv6, SkipTrue: 1},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherTypeARP, SkipFalse: 1},
	bpf.RetConstant{Val: 1 << 18},
	bpf.RetConstant{Val: 0},
}

// silence keeps the host's kernel from answering or forwarding anything.
func silence(host *lab.Host, name string) error {
	settings := [][2]string{
		{"net/ipv4/ip_forward", "0"},
		{"net/ipv4/conf/" + name + "/arp_ignore", "8"}, // answer for no address
		{"net/ipv4/icmp_echo_ignore_all", "1"},
	}
	if _, err := os.Stat("/proc/sys/net/ipv6/conf"); err == nil {
		settings = append(settings, [2]string{"net/ipv6/conf/" + name + "/disable_ipv6", "1"})
	}
	for _, s := range settings {
		if err := host.Sysctl(s[0], s[1]); err != nil {
			return fmt.Errorf("simnet: keep the kernel of %s silent: %w", host.Name(), err)
		}
	}
	return nil
}

// growBuffer makes the receive buffer as large as the machine lets us.
func growBuffer(conn *packet.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("simnet: set receive buffer: %w", err)
	}
	var serr error
	err = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			serr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
	})
	if err == nil {
		err = os.NewSyscallError("setsockopt", serr)
	}
	if err != nil {
		return fmt.Errorf("simnet: set receive buffer of %d bytes: %w", receiveBuffer, err)
	}
	return nil
}
