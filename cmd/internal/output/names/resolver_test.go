package names

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestDialEndsWithContext reads from a server that never answers.
func TestDialEndsWithContext(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("needs loopback: %v", err)
	}
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := dial(ctx, "udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, isPacket := c.(net.PacketConn); !isPacket {
		t.Errorf("%T is no packet connection, which the resolver takes for TCP", c)
	}
	if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	cancel()
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v, want the deadline exceeded", err)
	}
	if _, err := dial(ctx, "udp", server.LocalAddr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("dial after the end: %v, want it cancelled", err)
	}
}
