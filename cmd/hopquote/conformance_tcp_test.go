package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/layers"
)

func TestConformanceTCP(t *testing.T) {
	t.Parallel()
	_, w := openLine(t)
	compareAll(t, w, []comparison{
		{name: "7 closed port", args: "-n -q1 -T -p 8080 -O info -f 3 -m 3 192.168.120.20"},
		{name: "7 closed port, three times", args: "-n -T -p 8080 -O info -f 3 -m 3 192.168.120.20"},
		{name: "20 length ignored", args: "-n -q1 -m1 -T -p 443 192.168.120.20 1000"},
		{name: "25 source port", args: "-n -q2 -m2 -T --sport=5555 192.168.120.20"},
		{name: "25 source port, whole path", args: "-n -q2 -T --sport=5555 192.168.120.20"},
	})
	for _, options := range []string{
		"", "sysctl", "mss=1000",
		"syn",
		"ack", "fin", "flags=0",
		"flags=0x12", "flags=18", "syn,ack",
		"ecn",
		"sack",
		"timestamps", "time",
		"window_scaling", "win",
		"sack,timestamps,window_scaling,mss=900",
		"ack,timestamps",
		"ece,cwr",
		"syn,sysctl",
		"syn,fin,rst,psh,urg,ack,ece,cwr",
		"sack,window_scaling", "sack,timestamps", "timestamps,window_scaling", "ecn,sack", "mss=65535",
	} {
		c := comparison{args: "-n -q2 -m1 -T 192.168.120.20"}
		if options != "" {
			c.args = fmt.Sprintf("-n -q2 -m1 -T -O %s 192.168.120.20", options)
		}
		t.Run("27 options "+options, func(t *testing.T) { w.compare(t, c) })
	}
}

// The kernel's settings decide on the options that are not asked for.
func TestConformanceTCPSettings(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	for _, setting := range []string{"tcp_ecn=1", "tcp_sack=0", "tcp_timestamps=0", "tcp_window_scaling=0", "tcp_timestamps=2"} {
		t.Run("27 "+setting, func(t *testing.T) {
			key, value, _ := strings.Cut(setting, "=")
			if err := n.Host("h1").Sysctl("net/ipv4/"+key, value); err != nil {
				t.Fatal(err)
			}
			w.compare(t, comparison{args: "-n -q1 -m1 -T 192.168.120.20"})
		})
	}
}

// 6: the SYN-ACK of an open port is reset, and the application never learns of
// it.
func TestConformanceOpenPort(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	for _, tt := range []struct{ family, args string }{
		{"tcp4", "-n -q1 -T -p 8080 -O info -f 3 -m 3 192.168.120.20"},
		{"tcp6", "-n -q1 -T -p 8080 -O info -f 3 -m 3 fd00:120::20"},
		{"tcp4", "-n -T -p 8080 -O info -f 3 -m 3 192.168.120.20"},
	} {
		t.Run("6 "+tt.args, func(t *testing.T) {
			var l net.Listener
			err := n.Host("h2").Do(func() (err error) {
				l, err = net.Listen(tt.family, ":8080")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			want, got := w.compare(t, comparison{args: tt.args})
			if !strings.Contains(got.Stdout, "<syn,ack>") {
				t.Errorf("no SYN-ACK: %s", got.Stdout)
			}
			theirs, ours := want.resets(t), got.resets(t)
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("resets (-traceroute +hopquote):\n%s", diff)
			}
			if len(ours) != len(got.probes) {
				t.Errorf("%d resets for %d probes", len(ours), len(got.probes))
			}
			if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if c, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the application got a connection: %v, %v", c, err)
			}
		})
	}
}

// resets tells the resets of a run, each after its SYN-ACK.
func (o observation) resets(t *testing.T) []string {
	t.Helper()
	acks := make(map[layers.TCPPort]uint32) // of SYN-ACKs, by their destination
	var resets []string
	for _, f := range o.frames {
		d, data := decodeIP(f)
		if d == nil || d.Protocol != layers.IPProtocolTCP {
			continue
		}
		d.Payload = data
		d.decodeTransport()
		switch h := d.TCP; {
		case h.SYN && h.ACK:
			acks[h.DstPort] = h.Ack
		case d.isReset():
			if ack, ok := acks[h.SrcPort]; !ok || h.Seq != ack {
				t.Errorf("reset of port %d with sequence %d, the SYN-ACK's acknowledgment is %d", h.SrcPort, h.Seq, ack)
			}
			resets = append(resets, d.fixed(false, false))
		}
	}
	return resets
}
