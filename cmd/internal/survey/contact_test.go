package survey

import (
	"bytes"
	"os"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// Every probe tells whom to ask about it, and is answered as others are.
func TestProbeContact(t *testing.T) {
	const contact = "mail probes@example.net"
	truth := internet.Config{Seed: 5, MinHops: 4, MaxHops: 4}
	for _, name := range []string{"udp", "icmp"} {
		n := open(t, truth)
		dir := t.TempDir()
		r := survey(t, n, "", "--mode=full", "--rate=max", "-m", "4", "-M", name, "--probe-contact", contact, "-o", "replies:"+dir+"/out",
			"-o", "pcapng:"+dir+"/frames", "20.0.0.0/30", "2600::/126")
		got := readReplies(t, dir+"/out", truth, names[name])
		b, err := os.ReadFile(dir + "/frames")
		if err != nil {
			t.Fatal(err)
		}
		if in := bytes.Count(b, []byte(contact)); r.code != 0 || len(got) != 8*4 || in < 8*4 {
			t.Errorf("%s: %d replies, %d frames with the text: %s", name, len(got), in, r.stderr)
		}
	}
}
