package simnet

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/frame"
)

// wrapped are quotes of what carried the probe, or of what a translator made of
// it, and the layers that Wireshark finds in them.
var wrapped = []struct {
	modifiers string
	probe     frame.Probe
	want      string
}{
	{"inside ip 10.7.0.1 10.7.0.2", udp4(1), "ip:ip:udp"},
	{"inside ip fd07::1 fd07::2", udp4(1), "ipv6:ip:udp"},
	{"inside ip 10.7.0.1 10.7.0.2", udp6(1), "ip:ipv6:udp"},
	{"inside ip fd07::1 fd07::2", icmp6(1), "ipv6:ipv6:icmpv6"},
	{"inside gre 10.7.0.1 10.7.0.2", tcp4(1, frame.FlagSYN), "ip:gre:ip:tcp"},
	{"inside gre fd07::1 fd07::2", udp6(1), "ipv6:gre:ipv6:udp"},
	{"inside mpls 16001/0/1/1", udp4(1), "mpls:ip:udp"},
	{"inside mpls 16001/2/0/1,24/0/1/64", icmp6(1), "mpls:ipv6:icmpv6"},
	{"inside error 10.1.9.1 10.9.9.1", udp4(1), "ip:icmp:ip:udp"},
	{"inside error fd01:9::1 fd09:9::1", udp6(1), "ipv6:icmpv6:ipv6:udp"},
	{"inside mpls 16001/0/1/1 inside gre 10.7.0.1 10.7.0.2 inside ip fd07::1 fd07::2", udp4(1), "ipv6:ip:gre:mpls:ip:udp"},
	{"translate 10.9.9.1 10.2.2.2", udp6(1), "ip:udp"},
	{"translate 10.9.9.1 10.2.2.2", icmp6(1), "ip:icmp"},
	{"translate fd64::a09:901 64:ff9b::a02:202", udp4(1), "ipv6:udp"},
	{"translate fd64::a09:901 64:ff9b::a02:202", tcp4(1, frame.FlagSYN), "ipv6:tcp"},
	{"translate fd64::a09:901 64:ff9b::a02:202", icmp4(1), "ipv6:icmpv6"},
	{"translate fd64::a09:901 64:ff9b::a02:202 inside gre 10.7.0.1 10.7.0.2", udp4(1), "ip:gre:ipv6:udp"},
	{"translate 10.9.9.1 10.2.2.2", udp4(1), "ip:udp"}, // it is IPv4 already
}

// quoteOf is what the error in reply to the probe quotes.
func quoteOf(t *testing.T, modifiers string, p frame.Probe) (whole, quote []byte) {
	t.Helper()
	from, header := "10.1.1.1", ethernetLen+ipv4HeaderLen+icmpHeaderLen
	if p.Src.Is6() {
		from, header = "fd01::1", ethernetLen+ipv6HeaderLen+icmpHeaderLen
	}
	whole = one(t, responder(t, "hop 1 te from "+from+" "+modifiers), build(t, p))
	return whole, whole[header:]
}

// TestWrapped has Wireshark take apart the errors, and the quotes as if they had
// been on the wire: it must find the layers, and every checksum right.
func TestWrapped(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs Wireshark to judge the quotes: apt-get install tshark")
	}
	path := filepath.Join(t.TempDir(), "quotes.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, c := range wrapped {
		whole, quote := quoteOf(t, c.modifiers, c.probe)
		etherType := map[byte]uint16{4: etherTypeIPv4, 6: etherTypeIPv6}[quote[0]>>4]
		if etherType == 0 {
			etherType = etherTypeMPLS
		}
		onWire := append(binary.BigEndian.AppendUint16(make([]byte, 12), etherType), quote...)
		for _, b := range [][]byte{whole, onWire} {
			if err := w.WritePacket(gopacket.CaptureInfo{CaptureLength: len(b), Length: len(b)}, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	const separator = "|"
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "separator=" + separator,
		"-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
		"-e", "frame.protocols", "-e", "_ws.malformed"}
	sums := []string{"ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status"}
	for _, s := range sums {
		args = append(args, "-e", s)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatalf("%s %q: %v", tshark, args, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2*len(wrapped) {
		t.Fatalf("%d lines for %d packets", len(lines), 2*len(wrapped))
	}
	const bad = "0"
	for i, line := range lines {
		c := wrapped[i/2]
		fields := strings.Split(line, separator)
		if fields[1] != "" {
			t.Errorf("%s: malformed: %s", c.modifiers, line)
		}
		for k, status := range fields[2:] {
			if strings.Contains(status, bad) {
				t.Errorf("%s: %s: %s", c.modifiers, sums[k], line)
			}
		}
		if i%2 == 0 {
			continue
		}
		protocols := strings.TrimPrefix(fields[0], "eth:ethertype:")
		if got, _, _ := strings.Cut(protocols+":", ":data:"); strings.TrimSuffix(got, ":") != c.want {
			t.Errorf("%s: Wireshark sees %q, want %q", c.modifiers, protocols, c.want)
		}
	}
}

// What is inside is the probe as the router had it, edits included, and the
// length of the quote counts what is around it.
func TestInsideBytes(t *testing.T) {
	want := quoted(t, udp4(1), 1)
	for around, n := range map[string]int{"ip 10.7.0.1 10.7.0.2": 20, "gre 10.7.0.1 10.7.0.2": 24, "mpls 1/0/1/1": 4, "error 10.1.9.1 10.9.9.1": 28} {
		_, got := quoteOf(t, "inside "+around, udp4(1))
		if len(got) < n || !bytes.Equal(got[n:], want) {
			t.Errorf("inside %s: % x, want % x at %d", around, got, want, n)
		}
		if _, cut := quoteOf(t, "inside "+around+" quote 30", udp4(1)); !bytes.Equal(cut, got[:30]) {
			t.Errorf("inside %s, 30 bytes: % x", around, cut)
		}
		if _, edited := quoteOf(t, "edit sport=258 inside "+around, udp4(1)); !bytes.Equal(edited[n+20:n+22], []byte{1, 2}) {
			t.Errorf("inside %s, edited: % x", around, edited[n:])
		}
	}
}

// A checksum that offload left unfinished is the pseudo-header's sum.
func TestPartialChecksum(t *testing.T) {
	_, got := quoteOf(t, "edit checksum=partial", udp4(1))
	want := quoted(t, udp4(1), 1)
	binary.BigEndian.PutUint16(want[26:], frame.Fold(frame.PseudoSum(source4, target4, protoUDP, 40)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
