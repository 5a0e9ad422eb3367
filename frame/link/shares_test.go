package link

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// flowTo is a frame to an address with what routers tell its flow by.
func flowTo(dst netip.Addr, flow uint32) []byte {
	f := append(frameTo(dst), make([]byte, 8)...)
	at := ethernetLen + 40
	if dst.Is4() {
		at, f[ethernetLen] = ethernetLen+20, 0x45
	}
	binary.BigEndian.PutUint32(f[at:], flow)
	return f
}

// A flow goes to one next hop, whatever else is in its frames, and each next hop
// gets its part of them.
func TestShares(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v6 := range []bool{false, true} {
		h := NewHops()
		weights := map[[6]byte]int{{2, 1}: 1, {2, 2}: 5, {2, 3}: 256}
		number := h.AddShares([]Share{{[6]byte{2, 1}, 1}, {[6]byte{2, 2}, 2}, {[6]byte{2, 3}, 256}, {[6]byte{2, 2}, 3}})
		all := netip.MustParsePrefix("0.0.0.0/0")
		if v6 {
			all = netip.MustParsePrefix("::/0")
		}
		h.Set(all, number)
		var s Sender
		if s.follow(h); s.addresses().hops == nil || !h.Leads(all.Addr()) {
			t.Fatal("the table is not used, or leads nowhere")
		}
		const n = 1 << 16
		got := map[[6]byte]int{}
		for i := range n {
			dst := netip.AddrFrom4([4]byte{20, byte(i >> 10), byte(i >> 2), byte(i & 3 * 64)})
			if v6 {
				b := [16]byte{0x26, 4: byte(i >> 10), 9: byte(i >> 2), 15: byte(i & 3)}
				dst = netip.AddrFrom16(b)
			}
			flow := 20000<<16 | uint32(33434) + uint32(r.IntN(3))<<16
			f := flowTo(dst, flow)
			mac := [6]byte(h.of(f))
			got[mac]++
			other := flowTo(dst, flow)
			for _, at := range []int{ethernetLen + 1, ethernetLen + 5, ethernetLen + 7, len(other) - 1} { // TOS, identification, TTL, what is behind
				other[at] ^= byte(1 + r.IntN(255))
			}
			if again := [6]byte(h.of(other)); again != mac {
				t.Fatalf("a flow to %s goes to %x and to %x", dst, mac, again)
			}
		}
		for mac, weight := range weights {
			p := float64(weight) / 262
			if dev := math.Abs(float64(got[mac])-n*p) / math.Sqrt(n*p*(1-p)); dev > 5 {
				t.Errorf("IPv6 %t: %x with weight %d of 262 has %d of %d flows, %.1f deviations off", v6, mac, weight, got[mac], n, dev)
			}
		}
		if len(got) != len(weights) {
			t.Errorf("next hops %v, want those of %v", got, weights)
		}
	}
}

// Next hops with one link address are one, and cost nothing.
func TestSharesOfOne(t *testing.T) {
	h := NewHops()
	number := h.AddShares([]Share{{[6]byte{2, 1}, 1}, {[6]byte{2, 1}, 7}})
	h.Set(netip.MustParsePrefix("0.0.0.0/0"), number)
	var s Sender
	s.follow(h)
	if to := s.addresses(); to.hops != nil || to.mac[0] != [6]byte{2, 1} {
		t.Errorf("the table is used: %t; the next hop is %x", to.hops != nil, to.mac[0])
	}
}

// No frame is too short, or says of itself what it is not, for a next hop.
func TestSharesOfAny(tt *testing.T) {
	h := NewHops()
	h.Set(netip.MustParsePrefix("0.0.0.0/0"), h.AddShares([]Share{{[6]byte{2, 1}, 0}, {[6]byte{2, 2}, math.MaxInt32}}))
	h.Set(netip.MustParsePrefix("::/0"), h.AddShares([]Share{{[6]byte{2, 1}, 1}, {[6]byte{2, 2}, 1}}))
	rapid.Check(tt, func(t *rapid.T) {
		f := rapid.SliceOfN(rapid.Byte(), ethernetLen, 90).Draw(t, "frame")
		if rapid.Bool().Draw(t, "IPv6") {
			f[12], f[13] = 0x86, 0xdd
		}
		if mac := h.of(f); mac[0] != 2 && (mac[0] != 0 || len(f) >= dst6+16) {
			t.Fatalf("a frame of %d bytes goes to %x", len(f), mac)
		}
	})
}
