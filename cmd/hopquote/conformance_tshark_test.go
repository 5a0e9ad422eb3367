package main

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/cmd/internal/output/capture/wireshark"
)

// Wireshark finds every checksum of ours right and nothing malformed.
func TestTshark(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs Wireshark to judge the probes: apt-get install tshark")
	}
	n, w := openLine(t)
	for _, c := range recorded {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.args, "::") && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			o, _, pcap := w.record(t, c)
			third := filepath.Join(t.TempDir(), "third.pcap")
			writeCapture(t, third, o.frames)
			for _, path := range []string{pcap, third} {
				judged := dissect(t, path)
				if judged != len(o.probes) {
					t.Errorf("%s: %d transport checksums for %d probes", filepath.Base(path), judged, len(o.probes))
				}
			}
		})
	}
	t.Run("a wrong checksum is found", func(t *testing.T) {
		o, _, _ := w.record(t, recorded[0])
		i := slices.IndexFunc(o.frames, func(f []byte) bool { d, _ := decodeIP(f); return d != nil && d.Src.Is4() && own(d.Src) })
		o.frames[i][len(o.frames[i])-1] ^= 1
		path := filepath.Join(t.TempDir(), "wrong.pcap")
		writeCapture(t, path, o.frames)
		if faults, _ := dissection(t, path); len(faults) != 1 {
			t.Errorf("faults %q, want one", faults)
		}
	})
}

func writeCapture(t *testing.T, path string, frames [][]byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, b := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{CaptureLength: len(b), Length: len(b)}, b); err != nil {
			t.Fatal(err)
		}
	}
}

// dissect fails the test for everything that tshark finds wrong in packets of
// ours, and counts the transport checksums that it judged.
func dissect(t *testing.T, path string) int {
	t.Helper()
	faults, judged := dissection(t, path)
	for _, f := range faults {
		t.Errorf("%s: %s", filepath.Base(path), f)
	}
	return judged
}

// Columns of the dissection.
const (
	columnSource4 = iota
	columnSource6
	columnMalformed
	columnSeverity
	columnMessage
	columnIP
	columnUDP
	columnTCP
	columnICMP
	columnICMPv6
	columns
)

var columnNames = [columns]string{
	"ip.src", "ipv6.src", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "ip.checksum.status",
	"udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status",
}

// Wireshark's numbers for what it finds.
const (
	severityWarning = 0x600000
	checksumGood    = "1"
)

func dissection(t *testing.T, path string) (faults []string, judged int) {
	t.Helper()
	args := []string{
		"-T", "fields", "-E", "separator=|", "-Y", "!(icmpv6.type >= 133)", // not the search for neighbours
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udplite.check_checksum:TRUE",
	}
	for _, name := range columnNames {
		args = append(args, "-e", name)
	}
	out, err := wireshark.Headers(path, args...)
	if err != nil {
		t.Fatalf("tshark %q: %v", args, err)
	}
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "|")
		if len(fields) != columns {
			t.Fatalf("%d columns, want %d: %s", len(fields), columns, line)
		}
		// An ICMP error has the addresses of its quote besides.
		source, err := netip.ParseAddr(fields[columnSource4] + fields[columnSource6])
		if err != nil || !own(source) {
			continue
		}
		fault := fields[columnMalformed] != ""
		for severity := range strings.SplitSeq(fields[columnSeverity], ",") {
			n, _ := strconv.Atoi(severity)
			fault = fault || n >= severityWarning
		}
		for i := columnIP; i < columns; i++ {
			switch v := fields[i]; {
			case v != "" && v != checksumGood:
				fault = true
			case v != "" && i > columnIP:
				judged++
			}
		}
		if fault {
			faults = append(faults, line)
		}
	}
	return faults, judged
}
