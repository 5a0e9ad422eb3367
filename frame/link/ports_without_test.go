package link

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/frame"
)

var loopback4 = netip.MustParseAddr("127.0.0.1")

// TestPortsOfEveryProtocol holds ports whether or not this kernel has the
// protocol.
func TestPortsOfEveryProtocol(t *testing.T) {
	for _, m := range []frame.Method{frame.UDPLite, frame.DCCP} {
		for _, src := range []netip.Addr{loopback4, netip.IPv6Loopback()} {
			p, err := NewPorts(PortsConfig{Method: m, Src: src})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			seen := map[uint16]bool{}
			for range 100 {
				port, err := p.Hold()
				if errors.Is(err, unix.EADDRNOTAVAIL) && src.Is6() {
					t.Skip("needs ::1 on the loopback interface")
				}
				if err != nil || port == 0 || seen[port] {
					t.Fatalf("%v: port %d, %v", m, port, err)
				}
				seen[port] = true
			}
			for port := range seen {
				p.Release(port)
			}
			if len(p.open) != 0 {
				t.Errorf("%v: %d ports held after their release", m, len(p.open))
			}
			fixed, err := NewPorts(PortsConfig{Method: m, Src: src, Fixed: 4000})
			if err != nil {
				t.Fatal(err)
			}
			defer fixed.Close()
			for range 2 {
				if port, err := fixed.Hold(); port != 4000 || err != nil {
					t.Errorf("%v: fixed port %d, %v", m, port, err)
				}
				fixed.Release(4000)
			}
		}
	}
}

// TestUDPLitePortIsHeld takes the port a second time.
func TestUDPLitePortIsHeld(t *testing.T) {
	p, err := NewPorts(PortsConfig{Method: frame.UDPLite, Src: loopback4})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	port, err := p.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if p.open[port] == noSocket {
		t.Skip("needs UDP-Lite in the kernel")
	}
	if _, err := NewPorts(PortsConfig{Method: frame.UDPLite, Src: loopback4, Fixed: port}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("second hold of port %d: %v, want EADDRINUSE", port, err)
	}
}

// TestPortsWithoutSocket uses up every port there is.
func TestPortsWithoutSocket(t *testing.T) {
	p := &Ports{c: PortsConfig{Method: frame.DCCP, Src: loopback4}, open: make(map[uint16]int)}
	for n := range 1000 {
		port, err := p.choose(0)
		if err != nil || port < firstFreePort || int(port) >= firstFreePort+freePorts || len(p.open) != n+1 {
			t.Fatalf("port %d of %d held, %v", port, len(p.open), err)
		}
	}
	for n := range freePorts {
		p.open[uint16(firstFreePort+n)] = noSocket
	}
	_, err := p.choose(0)
	if !errors.Is(err, unix.EADDRINUSE) || err.Error() != "bind: Address already in use" {
		t.Errorf("with all ports held: %v", err)
	}
	p.Release(40000)
	if port, err := p.choose(0); port != 40000 || err != nil {
		t.Errorf("with one port free: %d, %v; want that", port, err)
	}
	if !isUnsupported(opError("socket", unix.ESOCKTNOSUPPORT)) || isUnsupported(opError("socket", unix.EMFILE)) || isUnsupported(nil) {
		t.Error("isUnsupported is wrong")
	}
}
