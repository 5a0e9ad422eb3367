package link

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
)

var (
	mac1 = [6]byte{2, 0, 0, 0, 0, 1}
	mac2 = [6]byte{2, 0, 0, 0, 0, 2}
	v4   = netip.MustParseAddr("192.0.2.2")
	v6   = netip.MustParseAddr("fe80::12:3456")
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const arpReply = `020000000001 020000000002 0806
	0001 0800 06 04 0002 020000000002 c0000202 020000000001 c0000201`

// An answer to a solicitation by fe80::1, checksum reckoned apart from our code.
const advertisement = `020000000001 020000000002 86dd
	60000000 0020 3a ff fe800000000000000000000000123456 fe800000000000000000000000000001
	88 00 af4d 60000000 fe800000000000000000000000123456 02 01 020000000002`

func TestSolicitation(t *testing.T) {
	tests := []struct {
		name, src, target, want string
	}{
		{"ARP", "192.0.2.1", "192.0.2.2", `ffffffffffff 020000000001 0806
			0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202`},
		{"ARP without a source", "0.0.0.0", "192.0.2.2", `ffffffffffff 020000000001 0806
			0001 0800 06 04 0001 020000000001 00000000 000000000000 c0000202`},
		{"NDP", "fe80::1", "fe80::12:3456", `3333ff123456 020000000001 86dd
			60000000 0020 3a ff fe800000000000000000000000000001 ff0200000000000000000001ff123456
			87 00 11cb 00000000 fe800000000000000000000000123456 01 01 020000000001`},
		{"NDP without a source", "::", "fe80::12:3456", `3333ff123456 020000000001 86dd
			60000000 0018 3a ff 00000000000000000000000000000000 ff0200000000000000000001ff123456
			87 00 1357 00000000 fe800000000000000000000000123456`},
	}
	for _, tt := range tests {
		got, err := solicitation(mac1, netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.target))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		// Short ARP frames may be padded to Ethernet's least length.
		want := unhex(t, tt.want)
		for len(got) > len(want) && got[len(got)-1] == 0 {
			got = got[:len(got)-1]
		}
		if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAnswer(t *testing.T) {
	type edit func(f []byte) []byte
	set := func(at int, v byte) edit {
		return func(f []byte) []byte { f[at] = v; return f }
	}
	tests := []struct {
		name   string
		frame  string
		target netip.Addr
		edit   edit
		ok     bool
		passes bool // through the filter
	}{
		{"ARP reply", arpReply, v4, nil, true, true},
		{"ARP reply, padded", arpReply, v4, func(f []byte) []byte { return append(f, make([]byte, 18)...) }, true, true},
		{"ARP request", arpReply, v4, set(21, 1), false, false},
		{"ARP reply of another", arpReply, v4, set(31, 9), false, false},
		{"ARP reply, no address", arpReply, v4, func(f []byte) []byte { clear(f[22:28]); return f }, false, true},
		{"ARP reply, hardware of 8 bytes", arpReply, v4, set(18, 8), false, true},
		{"ARP reply, cut", arpReply, v4, func(f []byte) []byte { return f[:41] }, false, true},
		{"ARP reply, cut in its address", arpReply, v4, func(f []byte) []byte { return f[:30] }, false, false},
		{"advertisement", advertisement, v6, nil, true, true},
		{"advertisement, trailer", advertisement, v6, func(f []byte) []byte { return append(f, 1, 2, 3) }, true, true},
		{"advertisement, routed", advertisement, v6, set(21, 254), false, false},
		{"advertisement, wrong checksum", advertisement, v6, set(56, 0), false, true},
		{"advertisement, code 1", advertisement, v6, set(55, 1), false, true},
		{"advertisement of another", advertisement, v6, set(77, 0), false, false},
		{"solicitation", advertisement, v6, set(54, 135), false, false},
		{"advertisement, option of length 0", advertisement, v6, set(79, 0), false, true},
		{"advertisement, option too long", advertisement, v6, set(79, 2), false, true},
		{"advertisement, payload too long", advertisement, v6, set(19, 0x28), false, true},
		{"advertisement, payload too short", advertisement, v6, set(19, 0x10), false, true},
		{"advertisement, cut", advertisement, v6, func(f []byte) []byte { return f[:80] }, false, true},
		{"nothing", "", v6, nil, false, false},
	}
	for _, tt := range tests {
		f := unhex(t, tt.frame)
		if tt.edit != nil {
			f = tt.edit(f)
		}
		mac, ok := answer(f, tt.target)
		if ok != tt.ok || ok && mac != mac2 {
			t.Errorf("%s: %x %v, want %v", tt.name, mac, ok, tt.ok)
		}
		if got := passes(t, f, tt.target); got != tt.passes {
			t.Errorf("%s: filter lets it through: %v, want %v", tt.name, got, tt.passes)
		}
	}
}

func passes(t *testing.T, f []byte, target netip.Addr) bool {
	t.Helper()
	raw, err := answerFilter(target)
	if err != nil {
		t.Fatal(err)
	}
	program, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the filter has unknown instructions")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(f)
	return err == nil && n > 0
}

func FuzzAnswer(f *testing.F) {
	f.Add(unhex(f, arpReply))
	f.Add(unhex(f, advertisement))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, target := range []netip.Addr{v4, v6} {
			if mac, ok := answer(b, target); ok && mac == [6]byte{} {
				t.Error("an answer without an address was taken")
			}
		}
	})
}
