package frame

import "testing"

// Every sample is cut at every byte: the kind is the sample's own or
// truncated, and once it is the sample's own it stays so.
func TestDecodeTruncated(t *testing.T) {
	for name, b := range framesOfAllKinds(t) {
		whole := decode(b, LinkEthernet, false)
		decoded := false
		for n := range b {
			// The capacity is cut too, so that a read past the end panics.
			r := decode(b[:n:n], LinkEthernet, false)
			if r.Kind != whole.Kind && (r.Kind != KindTruncated || decoded) {
				t.Errorf("%s: Kind %d of %d bytes, want %d", name, r.Kind, n, whole.Kind)
			}
			decoded = r.Kind == whole.Kind
			if r.Checksum != ChecksumUnknown {
				t.Errorf("%s: Checksum %d of %d bytes, want unknown", name, r.Checksum, n)
			}
			if r.Quote.Malformed || r.Quote.Fragment || r.Quote.Bytes > whole.Quote.Bytes+minOriginal {
				t.Errorf("%s: quote of %d bytes: %+v", name, n, r.Quote)
			}
			key, ok := r.Key()
			if want, _ := whole.Key(); ok && key != want {
				t.Errorf("%s: Key %#x of %d bytes, want %#x", name, key, n, want)
			}
		}
		if !decoded {
			t.Errorf("%s: one byte missing makes it truncated", name)
		}
	}
}
