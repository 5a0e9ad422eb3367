package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// ephemeral are the ports that Linux gives who asks for none,
// net.ipv4.ip_local_port_range in a new namespace.
const ephemeralFirst, ephemeralLast = 32768, 60999

// freely tells which fields of a run's probes are not left to chance.
type freely struct {
	port    bool // the source port is chosen for each probe
	label   bool // the flow label is not given
	pid     int  // of the program
	waiting bool // no probe leaves before the one ahead of it is settled
	kernel  bool // its TCP sends them, each from a socket of its own
	raw     bool // the flow label may be what tells a probe from others
}

// rules checks what holds for the probes of one run, whatever chance chose.
func (r freely) rules(probes []*datagram) []string {
	var faults []string
	add := func(i int, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("probe %d: ", i)+fmt.Sprintf(format, args...))
	}
	ports, sequences := make(map[uint16]int), make(map[uint32]int)
	for i, p := range probes {
		for _, f := range p.Faults {
			add(i, "%s", f)
		}
		if i > 0 && p.TTL < probes[i-1].TTL {
			add(i, "TTL %d after %d", p.TTL, probes[i-1].TTL)
		}
		switch {
		case p.UDP != nil:
			ports[uint16(p.UDP.SrcPort)]++
		case p.Lite != nil:
			ports[p.Lite.SrcPort]++
		case p.TCP != nil:
			ports[uint16(p.TCP.SrcPort)]++
			sequences[p.TCP.Seq]++
		case p.Echo != nil && p.Echo.ID != uint16(r.pid):
			add(i, "echo identifier %d, process %d", p.Echo.ID, r.pid)
		}
		if i > 0 && p.UDP == nil && p.Lite == nil && !r.kernel && !p.V6 && uint16(p.ID) != uint16(probes[i-1].ID)+1 {
			add(i, "IP identification %d after %d", p.ID, probes[i-1].ID)
		}
	}
	if len(ports) > 0 && r.port {
		faults = append(faults, portRules(ports, len(probes))...)
	}
	if n := len(sequences); n > 0 && n < len(probes) {
		faults = append(faults, fmt.Sprintf("%d TCP sequence numbers for %d probes", n, len(probes)))
	}
	if r.kernel {
		return faults
	}
	if !r.raw || !r.label {
		faults = append(faults, labelRules(probes, r.label)...)
	}
	return append(faults, timestampRules(probes)...)
}

func portRules(ports map[uint16]int, probes int) []string {
	var faults []string
	for port := range ports {
		if port < ephemeralFirst || port > ephemeralLast {
			faults = append(faults, fmt.Sprintf("source port %d", port))
		}
	}
	// Once a probe is settled its port is free, and chance may choose it again.
	again := 0
	if probes > 3 {
		again = 1 + probes/20
	}
	if len(ports) < probes-again {
		faults = append(faults, fmt.Sprintf("%d source ports for %d probes", len(ports), probes))
	}
	return faults
}

// labelRules wants a flow label for each UDP probe, and one for all others.
func labelRules(probes []*datagram, free bool) []string {
	if len(probes) == 0 {
		return nil
	}
	labels := make(map[uint32]bool)
	for _, p := range probes {
		labels[p.Label] = true
	}
	want := 1
	if free && probes[0].V6 && (probes[0].UDP != nil || probes[0].Lite != nil) {
		want = max(len(probes)-1, 1) // two may be equal by chance
	}
	if n := len(labels); n < want || want == 1 && n > 1 {
		return []string{fmt.Sprintf("%d flow labels for %d probes", n, len(probes))}
	}
	return nil
}

func timestampRules(probes []*datagram) []string {
	values := make(map[uint32]bool)
	for _, p := range probes {
		if p.TCP == nil {
			continue
		}
		if v, ok := p.timestamp(); ok {
			values[v] = true
		}
	}
	if len(values) > 1 {
		return []string{fmt.Sprintf("%d TCP timestamps", len(values))}
	}
	return nil
}

// A rule that can't fail would let everything pass.
func TestRules(t *testing.T) {
	plain := func(ttl int, id uint32, src, dst uint16) *datagram {
		b := binary.BigEndian.AppendUint16(nil, src)
		b = binary.BigEndian.AppendUint16(b, dst)
		b = append(b, 0, 8, 0, 1)
		d := &datagram{
			Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"),
			TTL: ttl, ID: id, Protocol: 17, Payload: b,
		}
		d.decodeTransport()
		d.Faults = nil
		return d
	}
	segment := func(id, seq uint32) *datagram {
		b := binary.BigEndian.AppendUint32([]byte{0xc3, byte(id), 0, 80}, seq)
		d := &datagram{
			Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"),
			TTL: 1, ID: id, Protocol: 6, Payload: append(b, 0, 0, 0, 0, 5<<4, 2, 0, 0, 0, 0, 0, 0),
		}
		d.decodeTransport()
		d.Faults = nil
		return d
	}
	for name, tt := range map[string]struct {
		probes []*datagram
		want   string // part of the only fault
	}{
		"fine":             {[]*datagram{plain(1, 7, 40000, 33434), plain(1, 3, 40001, 33435)}, ""},
		"order":            {[]*datagram{plain(2, 7, 40000, 33434), plain(1, 3, 40001, 33435)}, "TTL 1 after 2"},
		"port range":       {[]*datagram{plain(1, 7, 1024, 33434)}, "source port 1024"},
		"ports":            {[]*datagram{plain(1, 7, 40000, 33434), plain(1, 3, 40000, 33435), plain(1, 9, 40000, 33436)}, "1 source ports for 3"},
		"identification":   {[]*datagram{segment(5, 1), segment(7, 2)}, "IP identification 7 after 5"},
		"identification 0": {[]*datagram{segment(65535, 1), segment(0, 2)}, ""},
		"sequence":         {[]*datagram{segment(5, 1), segment(6, 1)}, "1 TCP sequence numbers for 2"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := freely{port: true, label: true}.rules(tt.probes)
			switch {
			case tt.want == "" && len(faults) > 0:
				t.Error(faults)
			case tt.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) }):
				t.Errorf("faults %q, want one with %q", faults, tt.want)
			}
		})
	}
	if d := plain(1, 7, 40000, 33434); d.UDP.Checksum != 1 {
		t.Fatalf("checksum %#x, the test's own is 1", d.UDP.Checksum)
	} else if d.decodeTransport(); len(d.Faults) != 1 {
		t.Errorf("faults %q, want the wrong checksum only", d.Faults)
	}
}
