package rx

import "time"

// Profile is the shape of a ring for what runs. Its kernel timestamps, and so
// the RTTs, are the same in all of them.
type Profile uint8

// The profiles.
const (
	// Interactive is for somebody who waits: the kernel hands a reply over
	// within 1 ms of its arrival, half of that on average. 2 MiB.
	Interactive Profile = iota
	// Survey has the reader woken as little as possible: every 10 ms, or when
	// one of the larger blocks is full. 16 MiB, some 100,000 short replies,
	// which a reader that stops for 200 ms at 500,000 a second does not fill.
	Survey
)

// profiles are the dimensions of each. At 50,000 packets a second a wake-up
// every millisecond costs three times as much as one every ten; more than 10 ms
// or blocks above 256 KiB save nothing.
var profiles = [...]RingConfig{
	Interactive: {BlockSize: 32 << 10, Blocks: 64, Retire: time.Millisecond},
	Survey:      {BlockSize: 256 << 10, Blocks: 64, Retire: 10 * time.Millisecond},
}

func (p Profile) valid() bool { return int(p) < len(profiles) }

// fill sets the dimensions that are zero.
func (c *RingConfig) fill(from RingConfig) {
	if c.BlockSize == 0 {
		c.BlockSize = from.BlockSize
	}
	if c.Blocks == 0 {
		c.Blocks = from.Blocks
	}
	if c.Retire == 0 {
		c.Retire = from.Retire
	}
}
