package main

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Wireshark finds every checksum of ours right and nothing malformed.
func TestTshark(t *testing.T) {
	t.Parallel()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
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
				judged := dissect(t, tshark, path)
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
		if faults, _ := dissection(t, tshark, path); len(faults) != 1 {
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
func dissect(t *testing.T, tshark, path string) int {
	t.Helper()
	faults, judged := dissection(t, tshark, path)
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

// readProtocols are what tshark takes apart. Ports are random, and it must not
// guess from them what the payload could be.
var readProtocols = []string{
	"frame", "eth", "ethertype", "ip", "ipv6", "ipv6.fraghdr", "ipv6.routing", "ipv6.hopopts", "ipv6.dstopts",
	"udp", "udplite", "tcp", "icmp", "icmpv6", "dccp", "data", "_ws.malformed", "_ws.expert",
}

// payloadsUnread is the arguments that switch every other protocol off.
var payloadsUnread = sync.OnceValues(func() (args []string, err error) {
	out, err := exec.Command("tshark", "-G", "protocols").Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(line, "\t"); len(fields) >= 3 && !slices.Contains(readProtocols, strings.TrimSpace(fields[2])) {
			args = append(args, "--disable-protocol", strings.TrimSpace(fields[2]))
		}
	}
	return args, err
})

func dissection(t *testing.T, tshark, path string) (faults []string, judged int) {
	t.Helper()
	args := []string{
		"-n", "-r", path, "-T", "fields", "-E", "separator=|", "-Y", "!(icmpv6.type >= 133)", // not the search for neighbours
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udplite.check_checksum:TRUE",
	}
	for _, name := range columnNames {
		args = append(args, "-e", name)
	}
	unread, err := payloadsUnread()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, unread...)
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatalf("%s %q: %v", tshark, args, err)
	}
	for line := range strings.Lines(string(out)) {
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
