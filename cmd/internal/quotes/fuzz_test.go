package quotes

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file holds: the program ends, its sums balance, and an error is
// one line.
func FuzzQuotes(f *testing.F) {
	b, err := os.ReadFile(sample(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	c := newCapture(f)
	c.add(packet(f, tcp4()), timeExceeded(hop4, us4, wrapped(47, 0, 0, 8, 0)(expired(packet(f, tcp4()))), nil, 0))
	c.add(packet(f, udp6()), timeExceeded(hop6, us6, expired(packet(f, udp6())), []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 1, 9}, 0))
	c.add(timeExceeded(hop4, us4, wrapped(1, 11, 0, 0, 0, 0, 0, 0, 0)(expired(packet(f, icmp4()))), nil, 0))
	f.Add(c.buf.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.pcap")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		status := Main([]string{"--format=jsonl", "--packets=256", path}, &stdout, &stderr)
		if bytes.Count(stderr.Bytes(), []byte("\n")) > 1 {
			t.Errorf("more than a line: %q", &stderr)
		}
		switch status {
		case statusOK, statusDamaged:
			o := output{stdout: stdout.String(), lines: jsonlLines(t, stdout.String())}
			o.balance(t)
		case statusFailed:
		default:
			t.Errorf("exit %d: %s", status, &stderr)
		}
	})
}
