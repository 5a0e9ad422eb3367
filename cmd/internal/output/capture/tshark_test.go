package capture

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Wireshark's reader agrees on times, directions, lengths and the interface.
func TestTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed:", err)
	}
	path := filepath.Join(t.TempDir(), "run.pcapng")
	w, err := Create(path, frame.LinkEthernet, "veth7", epoch)
	if err != nil {
		t.Fatal(err)
	}
	w.Frame(&record.Frame{At: 2*time.Second + 5, Data: ether(61, 2)})
	w.Frame(&record.Frame{At: 4 * time.Second, By: "wg0", Data: ether(62, 4)})
	w.Frame(&record.Frame{At: 3 * time.Second, By: "eth1", Data: ether(60, 3)})
	w.Frame(&record.Frame{At: 5 * time.Second, By: "wg0", Data: ether(60, 5)})
	w.Frame(&record.Frame{At: time.Second, Sent: true, Data: ether(60, 1)})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-E", "separator=,",
		"-e", "frame.time_epoch", "-e", "frame.packet_flags_direction", "-e", "frame.cap_len", "-e", "frame.interface_name", "-e", "frame.interface_id", "-e", "frame.interface_description")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	if strings.Contains(stderr.String(), "damaged") {
		t.Error(stderr.String())
	}
	want := "1709251200.123456789,0x00000002,60,veth7,0,\n1709251201.123456794,0x00000001,61,veth7,0,\n" +
		"1709251202.123456789,0x00000001,60,eth1,1," + described + "\n1709251203.123456789,0x00000001,62,wg0,2," + described + "\n" +
		"1709251204.123456789,0x00000001,60,wg0,2," + described + "\n"
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("tshark (-want +got):\n%s", diff)
	}
}
