package attribute

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// RTTs are the difference of two times, in whatever order the packets come. A
// clock that is set back makes none negative, and loses no reply.
func TestOrder(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		sent, received [2]time.Duration
		want           [2]time.Duration
	}{
		"in order":      {[2]time.Duration{0, 2 * ms}, [2]time.Duration{3 * ms, 9 * ms}, [2]time.Duration{3 * ms, 7 * ms}},
		"sent first":    {[2]time.Duration{0, 20 * ms}, [2]time.Duration{1 * ms, 22 * ms}, [2]time.Duration{1 * ms, 2 * ms}},
		"replies mixed": {[2]time.Duration{5 * ms, 6 * ms}, [2]time.Duration{90 * ms, 8 * ms}, [2]time.Duration{85 * ms, 2 * ms}},
		"set back":      {[2]time.Duration{time.Hour, time.Hour + ms}, [2]time.Duration{2 * ms, 3 * ms}, [2]time.Duration{0, 0}},
	} {
		tracker := New(Config{Packets: 16, Bytes: 4096})
		var r Result
		probes := [2]frame.Probe{}
		for i := range probes {
			probes[i] = frame.Probe{Method: frame.UDP, Src: us, Dst: hop.Next(), TTL: uint8(i + 1), ID: uint16(7 + i), Size: 40, SrcPort: 40000, DstPort: 33434}
			tracker.Packet(c.sent[i], 0, build(t, probes[i]), &r)
			probes[i].TTL = 1
		}
		for i, p := range probes {
			m := frame.ErrorMessage{From: hop, To: us, TTL: 64, Type: 11, Quote: build(t, p)}
			tracker.Packet(c.received[i], 0, m.Append(nil), &r)
			if r.Class != Reply || r.Cause.TTL != uint8(i+1) || r.RTT != c.want[i] || r.Verdict != Exact {
				t.Errorf("%s, reply %d: class %v, %v, to TTL %d after %v, want TTL %d after %v", name, i, r.Class, r.Verdict, r.Cause.TTL, r.RTT, i+1, c.want[i])
			}
		}
	}
}
