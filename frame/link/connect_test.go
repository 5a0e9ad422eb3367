package link_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
)

// connector opens a Connector in h1 to a destination.
func connector(t *testing.T, h *lab.Host, dst string, fixed uint16, cfg link.ConnectorConfig) (*link.Connector, *link.Ports, link.Envelope) {
	t.Helper()
	var c *link.Connector
	var ports *link.Ports
	var env link.Envelope
	in(t, h, func() (err error) {
		if env, err = link.Lookup(link.Want{Dst: netip.MustParseAddr(dst)}); err != nil {
			return err
		}
		held := env.Ports(frame.TCP, fixed)
		held.Renew = true
		if ports, err = link.NewPorts(held); err != nil {
			return err
		}
		c, err = link.OpenConnector(env, ports, cfg)
		return err
	})
	t.Cleanup(func() {
		c.Close()
		ports.Close()
	})
	return c, ports, env
}

// synTo builds the frame that asks for a connection.
func synTo(t *testing.T, env link.Envelope, src, dst uint16, ttl uint8) (frame.Probe, []byte) {
	t.Helper()
	p := frame.Probe{
		Method: frame.TCP, Src: env.Src, Dst: env.Dst, TTL: ttl, SrcPort: src, DstPort: dst,
		TCP: frame.TCPHeader{Flags: frame.FlagSYN}, Seq: 1,
	}
	tmpl, err := frame.NewTemplate(env.Header, &p)
	if err != nil {
		t.Fatal(err)
	}
	f := make([]byte, tmpl.Len())
	tmpl.Put(f, &p)
	return p, f
}

// TestConnectorGivesTheKernelsSYN compares the frame that Send leaves with what
// was asked for, and connects to a listener.
func TestConnectorGivesTheKernelsSYN(t *testing.T) {
	n := openLine(t)
	for _, tt := range []struct {
		dst   string
		fixed uint16
	}{{"192.168.120.20", 0}, {"fd00:120::20", 0}, {"192.168.120.20", 4711}, {"192.168.100.10", 0}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			host := n.Host("h2")
			if tt.dst == "192.168.100.10" {
				host = n.Host("h1")
			}
			var l net.Listener
			in(t, host, func() (err error) {
				l, err = net.Listen("tcp", ":8080")
				return err
			})
			defer l.Close()
			label := uint32(0x12345)
			c, ports, env := connector(t, n.Host("h1"), tt.dst, tt.fixed, link.ConnectorConfig{TOS: 0x10, DontFragment: true, Label: &label})
			for range 2 {
				var left [][]byte
				var p frame.Probe
				in(t, n.Host("h1"), func() error {
					port, err := ports.Hold()
					if err != nil {
						return err
					}
					var f []byte
					p, f = synTo(t, env, port, 8080, 9)
					left = [][]byte{f}
					sent, err := c.Send(left)
					if sent != 1 && err == nil {
						err = errors.New("back-pressure")
					}
					return err
				})
				c.Amend(left[0], &p)
				got, err := frame.ReadProbe(left[0], env.Header.Type)
				if err != nil {
					t.Fatal(err)
				}
				if got.SrcPort != p.SrcPort || got.TTL != 9 || got.TOS != 0x10 || got.TCP.MSS == 0 ||
					got.DstPort != 8080 || got.DF != env.Dst.Is4() || env.Dst.Is6() && got.Label != label {
					t.Errorf("the kernel sent %+v", got)
				}
				if p.Seq != got.Seq || p.Seq == 1 || p.ID != got.ID || p.Size != got.Size || p.DF != got.DF || p.Label != got.Label {
					t.Errorf("amended to %+v, it was %+v", p, got)
				}
				if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
					t.Fatal(err)
				}
				conn, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				if from := conn.RemoteAddr().(*net.TCPAddr); uint16(from.Port) != p.SrcPort {
					t.Errorf("a connection from %v, want port %d", from, p.SrcPort)
				}
				conn.Close()
				ports.Release(p.SrcPort)
			}
		})
	}
}

// TestConnectorRefuses has it asked for what it can't do.
func TestConnectorRefuses(t *testing.T) {
	n := openLine(t)
	c, _, env := connector(t, n.Host("h1"), "192.168.120.20", 0, link.ConnectorConfig{})
	_, unheld := synTo(t, env, 9, 80, 1)
	for name, f := range map[string][]byte{"no packet": {1, 2, 3}, "port not held": unheld} {
		if sent, err := c.Send([][]byte{f}); sent != 0 || err == nil {
			t.Errorf("%s: %d sent, %v", name, sent, err)
		}
	}
}

// TestConnectorUndelivered connects to a host that is not there.
func TestConnectorUndelivered(t *testing.T) {
	n := openLine(t)
	var given [][]byte
	c, ports, env := connector(t, n.Host("h1"), "192.168.100.77", 0, link.ConnectorConfig{
		Undelivered: func(f []byte) { given = append(given, f) },
	})
	in(t, n.Host("h1"), func() error {
		port, err := ports.Hold()
		if err != nil {
			return err
		}
		_, f := synTo(t, env, port, 80, 1)
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
			if sent, err := c.Send([][]byte{f}); sent == 1 || err != nil {
				return err
			}
		}
		return errors.New("never settled")
	})
	if len(given) != 1 {
		t.Errorf("%d frames are undelivered, want 1", len(given))
	}
}
