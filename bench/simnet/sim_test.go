package simnet

import (
	"bytes"
	"container/heap"
	"net"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/packet"
	"go.uber.org/goleak"
	"golang.org/x/net/ipv4"

	"github.com/hopquote/hopquote/frame"
)

// TestSim sends datagrams through a whole network and checks with a socket of
// its own that every frame from the far end is one that the Sim counts: the
// kernel there adds none.
//
//	h1 10.9.9.1 --- sim (10.9.9.254, 10.1.1.1, 10.2.2.2)
func TestSim(t *testing.T) {
	n := openScript(t, must(t, ends+"hop 1 te from 10.1.1.1 delay 300ms dup 1\nhop 2 lost\n"))
	var listener *packet.Conn
	var own net.HardwareAddr
	err := n.Host(Prober).Do(func() error {
		ifi, err := net.InterfaceByName("veth1-" + Prober)
		if err != nil {
			return err
		}
		own = ifi.HardwareAddr
		const allProtocols = 3
		listener, err = packet.Listen(ifi, packet.Raw, allProtocols, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var sent [][]byte
	err = n.Host(Prober).Do(func() error {
		conn, err := net.ListenPacket("udp4", "10.9.9.1:40000")
		if err != nil {
			return err
		}
		defer conn.Close()
		for ttl := 1; ttl <= 3; ttl++ {
			if err := ipv4.NewPacketConn(conn).SetTTL(ttl); err != nil {
				return err
			}
			payload := []byte{byte(ttl), 'x'}
			sent = append(sent, payload)
			// The error about an earlier datagram is given to a later send.
			for range 2 {
				if _, err = conn.WriteTo(payload, &net.UDPAddr{IP: net.IPv4(10, 2, 2, 2), Port: 33434}); err == nil {
					break
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	got := incoming(t, listener, own, 3)
	want := []string{"3/3 10.2.2.2", "11/0 10.1.1.1", "11/0 10.1.1.1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	c := n.Counters()
	wantCounts := map[string]uint64{"te": 2, "lost": 1, "port-unreachable": 1}
	if diff := cmp.Diff(wantCounts, c.Answered); diff != "" || c.Asked["udp"] != 3 || c.Dropped+c.Failed != 0 {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
	probes := n.Probes()
	if len(probes) != 3 {
		t.Fatalf("%d probes kept, want 3", len(probes))
	}
	for i, p := range probes {
		if ip := p.Frame[ethernetLen:]; int(ip[8]) != i+1 || !slices.Equal(ip[28:], sent[i]) || time.Since(p.Time) > time.Minute {
			t.Errorf("probe %d at %v: % x", i, p.Time, p.Frame)
		}
	}
	if err := n.Sim.Close(); err != nil {
		t.Error(err)
	}
	if err := n.Sim.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if n.Counters().Asked["udp"] != 3 {
		t.Error("Close forgot the counters")
	}
}

// incoming reads count frames that came from the far end and tells the ICMP
// errors among them.
func incoming(t *testing.T, conn *packet.Conn, own net.HardwareAddr, count int) []string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var words []string
	buf := make([]byte, 2000)
	for seen := 0; seen < count; {
		size, _, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatalf("after %d of %d frames: %v", seen, count, err)
		}
		if bytes.Equal(buf[6:12], own) {
			continue
		}
		seen++
		var r frame.Reply
		frame.Decode(buf[:size], frame.LinkEthernet, false, &r)
		if r.Kind.IsError() {
			words = append(words, say([]Frame{{Data: buf[:size]}}))
		}
	}
	return words
}

// TestProbesOnTheWire checks what traceroute --mtu sends, whose sizes tell
// that every link is felt at its place.
func TestProbesOnTheWire(t *testing.T) {
	program, err := exec.LookPath("traceroute")
	if err != nil {
		t.Skip("needs Linux traceroute: apt-get install traceroute")
	}
	script, err := Read(scriptsDir + "/74-mtu.sim")
	if err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][]int{
		"":     {1500, 1500, 1500, 1500, 1400, 1400, 1400, 1400, 1300, 1300, 1300, 1300, 1300, 1300},
		"1450": {1450, 1450, 1400, 1400, 1300, 1300},
	} {
		n := openScript(t, script)
		words := []string{"--mtu", "-n", "-w5", "10.2.2.2"}
		if args != "" {
			words = append(words, args, "-q1")
		}
		output(t, n, exec.Command(program, words...))
		var got []int
		for _, p := range n.Probes() {
			ip, ok := parseIPv4(p.Frame[ethernetLen:])
			if !ok || !ip.df {
				t.Errorf("probe without DF: % x", p.Frame)
			}
			got = append(got, len(ip.ip))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("traceroute %q: sizes (-want +got):\n%s", words, diff)
		}
	}
}

func TestQueue(t *testing.T) {
	var q queue
	start := time.Now()
	for i, after := range []time.Duration{5, 1, 3, 1, 5, 0} {
		heap.Push(&q, queued{start.Add(after), uint64(i), []byte{byte(i)}})
	}
	var got []byte
	for q.Len() > 0 {
		got = append(got, heap.Pop(&q).(queued).data...)
	}
	if diff := cmp.Diff([]byte{5, 1, 3, 2, 0, 4}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestCloseLeavesNothing closes while replies wait.
func TestCloseLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	n := openScript(t, must(t, ends+"hop 1- te from 10.1.1.1 delay 1h"))
	err := n.Host(Prober).Do(func() error {
		conn, err := net.Dial("udp4", "10.2.2.2:33434")
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("x"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(n.Probes()) == 0; time.Sleep(ms) {
		if time.Now().After(deadline) {
			t.Fatal("the probe did not arrive")
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestStartErrors(t *testing.T) {
	n := openScript(t, must(t, ends))
	if _, err := Start(n.Host(Far), "none0", must(t, ends)); err == nil {
		t.Error("Start on no interface gave no error")
	}
	if _, err := Start(n.Host(Far), "lo", must(t, ends)); err == nil {
		t.Error("Start on the loopback gave no error")
	}
}
