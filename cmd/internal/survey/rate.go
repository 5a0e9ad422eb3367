package survey

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// rate is how fast probes leave: packets or bits in a second, or neither for as
// fast as the sender.
type rate struct {
	packets, bits float64
}

var rateUnits = []struct {
	suffix string
	factor float64
	bits   bool
}{
	// The longer ones first: each ends in a shorter one.
	{"gbps", 1e9, true}, {"mbps", 1e6, true}, {"kbps", 1e3, true}, {"bps", 1, true},
	{"mpps", 1e6, false}, {"kpps", 1e3, false}, {"pps", 1, false}, {"m", 1e6, false}, {"k", 1e3, false},
}

// parseRate reads 1000, 10kpps, 5Mbps and the like; max is as fast as the sender.
// 0 is no rate: whoever means "as fast as it goes" has to say so.
func parseRate(s string) (rate, error) {
	text := strings.ToLower(s)
	if text == "max" {
		return rate{}, nil
	}
	factor, bits := 1.0, false
	for _, u := range rateUnits {
		if n, ok := strings.CutSuffix(text, u.suffix); ok {
			text, factor, bits = n, u.factor, u.bits
			break
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	n *= factor
	if err != nil || math.IsNaN(n) || n <= 0 || n > 1e12 {
		return rate{}, fmt.Errorf("--rate %q: want packets in a second (1000, 10kpps) or bits (5Mbps), or max", s)
	}
	if bits {
		return rate{bits: n}, nil
	}
	return rate{packets: n}, nil
}

// perSecond is the rate in probes of so many bytes on the link; 0 for no limit.
func (r rate) perSecond(bytes int) float64 {
	if r.bits > 0 {
		return r.bits / float64(8*bytes)
	}
	return r.packets
}

// perSecond writes a rate, which may be of less than one.
func perSecond(pps float64) string {
	if pps >= 100 {
		return strconv.FormatFloat(pps, 'f', 0, 64)
	}
	return strconv.FormatFloat(pps, 'g', 3, 64)
}
