package frame

// fillPattern writes the payload that Linux traceroute sends: the byte at
// offset i is 0x40 + i mod 64, with b[0] at offset from.
func fillPattern(b []byte, from int) {
	for i := range b {
		b[i] = 0x40 + byte(from+i)&0x3f
	}
}

// isPattern tells whether b is what fillPattern writes from offset from.
func isPattern(b []byte, from int) bool {
	for i := range b {
		if b[i] != 0x40+byte(from+i)&0x3f {
			return false
		}
	}
	return true
}
