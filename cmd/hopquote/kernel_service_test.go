package main

import (
	"net"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// A service that answers datagrams ends a trace like a port unreachable does;
// one that only takes them looks like silence.
//
//	h1 --- r1 --- r2 --- h2
func TestKernelService(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	serve(t, n.Host("h2"), ":53", func(c net.PacketConn, b []byte, from net.Addr) error {
		_, err := c.WriteTo(b, from)
		return err
	})
	serve(t, n.Host("h2"), ":5353", func(net.PacketConn, []byte, net.Addr) error { return nil })
	var rows []traced
	for _, f := range []struct{ r1, r2, h2 string }{
		{"192.168.100.20", "192.168.110.20", farHost},
		{"fd00:100::20", "fd00:110::20", farHost6},
	} {
		way := []string{" 1  " + f.r1 + "  X ms  X ms", " 2  " + f.r2 + "  X ms  X ms"}
		rows = append(rows,
			traced{"answers", "-n -q2 -U " + f.h2, append(way[:2:2], " 3  "+f.h2+"  X ms  X ms")},
			traced{"answers one source port", "-n -q2 -U --sport=5555 " + f.h2, append(way[:2:2], " 3  "+f.h2+"  X ms  X ms")},
			traced{"answers long probes", "-n -q2 -U " + f.h2 + " 4000", append(way[:2:2], " 3  "+f.h2+"  X ms  X ms")},
			traced{"takes", "-n -q2 -U -p 5353 -m4 -w1 " + f.h2, append(way[:2:2], " 3  * *", " 4  * *")},
		)
	}
	traceAll(t, n, "h1", rows)
}

// serve hands datagrams that come to a host's port to f until the test ends.
func serve(t *testing.T, h *lab.Host, address string, f func(net.PacketConn, []byte, net.Addr) error) {
	t.Helper()
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = net.ListenPacket("udp", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	go func() {
		defer close(done)
		b := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return // closed
			}
			if err := f(c, b[:n], from); err != nil {
				t.Error(err)
			}
		}
	}()
}
