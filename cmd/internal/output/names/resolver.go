package names

import (
	"context"
	"net"
	"time"
)

// system is the system's resolver, with look-ups that end when their context
// does: net's own would go on waiting for the name server.
func system() *net.Resolver {
	return &net.Resolver{Dial: dial}
}

// dial connects to a name server until ctx ends.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return c, nil
}
