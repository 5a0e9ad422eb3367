package attribute

import "time"

// Config says how much a Tracker remembers. The zero of each field stands for
// the value given with it.
type Config struct {
	// Packets is how many packets are remembered, at most 1<<28: 262144. It is
	// rounded up to a power of two.
	Packets int
	// Bytes is how much of their bytes is remembered: 256 for each of Packets.
	Bytes int
	// Keep is how much of each packet is kept and compared with its quotes, in
	// bytes, 64 at least: 640, since Linux quotes up to 548.
	Keep int
	// Age is how long a packet may wait for its reply: 60 s.
	Age time.Duration
	// Wait is how long a prober waits; what comes later is Late, and finds no
	// probe under a key of Keys: 5 s.
	Wait time.Duration
	// Keys are tried against the full evidence; nil for none.
	Keys []Key
}

func (c Config) withDefaults() Config {
	if c.Packets <= 0 {
		c.Packets = 1 << 18
	}
	c.Packets = min(c.Packets, 1<<28)
	if c.Keep <= 0 {
		c.Keep = 640
	}
	c.Keep = max(c.Keep, 64)
	if c.Bytes <= 0 {
		c.Bytes = c.Packets * 256
	}
	c.Bytes = max(c.Bytes, 2*c.Keep)
	if c.Age <= 0 {
		c.Age = time.Minute
	}
	if c.Wait <= 0 {
		c.Wait = 5 * time.Second
	}
	return c
}
