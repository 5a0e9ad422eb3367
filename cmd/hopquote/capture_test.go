package main

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
)

// A wire is a link of a lab that a third party listens to: neither program
// under test has a part in what it sees.
//
//	host, interface near --- interface far, of another host
//
// Over loopback both are the same.
type wire struct {
	host  *lab.Host // where the programs run
	far   *packet.Conn
	near  *packet.Conn // sends the marks
	mac   net.HardwareAddr
	marks uint64
	// partial: the kernel leaves the checksums of UDP and TCP unfinished.
	partial bool
}

// markType is an EtherType for experiments, IEEE 802 section 9.2.3.
const markType = 0x88b5

// patience bounds the wait for a mark. It only passes when one is lost.
const patience = 20 * time.Second

// openWire listens on the far end of the first link of h1.
func openWire(t *testing.T, n *lab.Net) *wire {
	t.Helper()
	return listen(t, n.Host("h1"), "veth1-h1", n.Host("r1"), "veth1-r1")
}

// openLoopback listens on the loopback of h1.
func openLoopback(t *testing.T, n *lab.Net) *wire {
	t.Helper()
	return listen(t, n.Host("h1"), "lo", n.Host("h1"), "lo")
}

func listen(t *testing.T, host *lab.Host, near string, other *lab.Host, far string) *wire {
	t.Helper()
	w := &wire{host: host, partial: near == far}
	var err error
	if w.near, _, err = openPacket(host, near, 0, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.near.Close() })
	var filter []bpf.RawInstruction
	if near == far {
		// What is sent comes in again: once is enough.
		filter = incomingOnly(t)
	}
	if w.far, w.mac, err = openPacket(other, far, unix.ETH_P_ALL, filter); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.far.Close() })
	return w
}

func openPacket(h *lab.Host, name string, protocol int, filter []bpf.RawInstruction) (c *packet.Conn, mac net.HardwareAddr, err error) {
	err = h.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		mac = ifi.HardwareAddr
		if len(mac) == 0 {
			mac = make(net.HardwareAddr, 6) // loopback
		}
		c, err = packet.Listen(ifi, packet.Raw, protocol, &packet.Config{Filter: filter})
		return err
	})
	return c, mac, err
}

func incomingOnly(t *testing.T) []bpf.RawInstruction {
	t.Helper()
	filter, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 18},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

// frames gives every frame, of both directions, that passed since the last
// call. It sends a mark after them and waits for that.
func (w *wire) frames(t *testing.T) [][]byte {
	t.Helper()
	w.marks++
	mark := append(append([]byte(nil), w.mac...), make([]byte, 6)...)
	mark = binary.BigEndian.AppendUint16(mark, markType)
	mark = binary.BigEndian.AppendUint64(mark, w.marks)
	mark = append(mark, make([]byte, 64)...)
	if _, err := w.near.WriteTo(mark, &packet.Addr{HardwareAddr: w.mac}); err != nil {
		t.Fatal("send the mark:", err)
	}
	if err := w.far.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	buf := make([]byte, 1<<17)
	for {
		n, _, err := w.far.ReadFrom(buf)
		if err != nil {
			t.Fatal("wait for the mark:", err)
		}
		if bytes.Equal(buf[:n], mark) {
			break
		}
		frames = append(frames, append([]byte(nil), buf[:n]...))
	}
	if s, err := w.far.Stats(); err != nil || s.Drops > 0 {
		t.Fatalf("the capture lost frames: %+v, %v", s, err)
	}
	return frames
}
