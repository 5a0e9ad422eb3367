package frame

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// wantToken is what a reply should bring back when n bytes of the transport were
// quoted.
func wantToken(m Method, v6 bool, n int, token uint32) (uint32, uint32) {
	mask := uint32(0)
	switch {
	case m == TCP && n < 8:
	case n >= 12 && (v6 || m == ICMP), n >= 8 && (m == TCP || !v6):
		mask = 0xffffffff
	case n >= 8:
		mask = 0x0000ffff
	case !v6:
		mask = 0xffff0000
	}
	return token & mask, mask
}

func TestTokenOfQuotes(t *testing.T) {
	forEach(t, keyedMethods, func(t *testing.T, m Method, v6 bool) {
		const token = 0x8001fffe
		p := keyedProbe(m, v6)
		if !p.SetToken(token) {
			t.Fatal("token refused")
		}
		b := probePacket(t, p)
		for n := range len(b) + 1 {
			r := quoteOf(v6, b[:n])
			want, wantMask := uint32(0), uint32(0)
			if n >= ipHeaderLen(v6) {
				want, wantMask = wantToken(m, v6, n-ipHeaderLen(v6), token)
			}
			got, mask, ok := r.Token()
			if got != want || mask != wantMask || ok != (mask != 0) {
				t.Errorf("%d bytes quoted: Token = %#x, %#x, %t, want %#x, %#x", n, got, mask, ok, want, wantMask)
			}
		}
	})
}

// What is left of the token where the quote was changed on the way.
func TestTokenOfChangedQuotes(t *testing.T) {
	const token = 0x8001fffe
	zero := func(at, n int) func([]byte) {
		return func(b []byte) { clear(b[at : at+n]) }
	}
	for _, tt := range []struct {
		name   string
		method Method
		v6     bool
		bytes  int // quoted
		change func(b []byte)
		token  uint32
		mask   uint32
	}{
		{"no checksum", UDP, false, 28, zero(26, 2), 0x80010000, 0xffff0000},
		{"no checksum", UDP, true, 48, zero(46, 2), 0, 0},
		{"no checksum but a mark", UDP, true, 54, zero(46, 2), token, 0xffffffff},
		{"no identification", UDP, false, 28, zero(4, 2), 0x0000fffe, 0xffffffff},
		{"no identification but a mark", ICMP, false, 34, zero(4, 2), 0x0000fffe, 0xffffffff},
		{"payload zero", ICMP, true, 54, zero(48, 6), 0x0000fffe, 0x0000ffff},
		{"later fragment", UDP, false, 28, func(b []byte) { b[7] = 9 }, 0x80010000, 0xffff0000},
		{"header length", UDP, false, 28, func(b []byte) { b[0] = 0x44 }, 0, 0},
		{"echo reply quoted", ICMP, false, 28, func(b []byte) { b[20] = 0 }, 0, 0},
		{"other protocol", UDP, false, 28, func(b []byte) { b[9] = 132 }, 0, 0},
		{"version", UDP, false, 28, func(b []byte) { b[0] = 0x55 }, 0, 0},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.name, tt.method, familyName(tt.v6)), func(t *testing.T) {
			p := keyedProbe(tt.method, tt.v6)
			if !p.SetToken(token) {
				t.Fatal("token refused")
			}
			b := probePacket(t, p)[:tt.bytes]
			tt.change(b)
			r := quoteOf(tt.v6, b)
			got, mask, ok := r.Token()
			if got != tt.token || mask != tt.mask || ok != (tt.mask != 0) {
				t.Errorf("Token = %#x, %#x, %t, want %#x, %#x", got, mask, ok, tt.token, tt.mask)
			}
		})
	}
}

func TestTokenOfAnswers(t *testing.T) {
	const token = 0x8001fffe
	for _, v6 := range []bool{false, true} {
		echo := answerToProbe(ICMP, v6)
		echo.Seq, echo.Payload = token&0xffff, binary.BigEndian.AppendUint32(nil, token)
		plain := echo
		plain.Payload = []byte("HIJKLMNO")
		none := echo
		none.Payload = nil
		tcp := answerToProbe(TCP, v6)
		tcp.Ack = token + 1
		reset := tcp
		reset.Flags, reset.Ack, reset.Seq = FlagRST, 0, token
		wraps := tcp
		wraps.Ack = 0
		for _, tt := range []struct {
			name   string
			answer Answer
			token  uint32
			mask   uint32
		}{
			{"echo reply", echo, token, 0xffffffff},
			{"echo reply with the pattern", plain, token & 0xffff, 0xffff},
			{"echo reply without payload", none, token & 0xffff, 0xffff},
			{"SYN-ACK", tcp, token, 0xffffffff},
			{"SYN-ACK of the last number", wraps, 0xffffffff, 0xffffffff},
			{"RST without ACK", reset, token, 0xffffffff},
			{"UDP", answerToProbe(UDP, v6), 0, 0},
			{"UDP-Lite", answerToProbe(UDPLite, v6), 0, 0},
			{"DCCP", answerToProbe(DCCP, v6), 0, 0},
			{"raw", answerToProbe(Raw, v6), 0, 0},
		} {
			r := decode(tt.answer.Append(nil), LinkRaw, false)
			got, mask, ok := r.Token()
			if got != tt.token || mask != tt.mask || ok != (tt.mask != 0) {
				t.Errorf("%s, %s: Token = %#x, %#x, %t, want %#x, %#x", tt.name, familyName(v6), got, mask, ok, tt.token, tt.mask)
			}
		}
	}
}

func TestSetTokenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method Method
		v6     bool
		shape  func(*Probe)
		tokens []uint32
		want   bool
	}{
		{"checksum of zero", UDP, false, nil, []uint32{0, 0x10000, 0xffff0000}, false},
		{"checksum of zero", UDPLite, true, nil, []uint32{0, 0x10000}, false},
		{"no mark to mistake", UDP, false, nil, []uint32{1, 0xffff, udpPattern, 0xffffffff}, true},
		{"mark like the pattern", UDP, true, nil, []uint32{udpPattern}, false},
		{"mark like the other pattern", UDP, true, nil, []uint32{icmpPattern}, true},
		{"mark like zeros or the pattern", ICMP, false, nil, []uint32{0, icmpPattern}, false},
		{"sequence of zero", ICMP, true, nil, []uint32{0x10000, 1, 0xffffffff}, true},
		{"without mark", ICMP, false, func(p *Probe) { p.Payload = PayloadPattern }, []uint32{0, icmpPattern}, true},
		{"without mark", ICMP, true, func(p *Probe) { p.Payload = PayloadPattern }, []uint32{1}, false},
		{"without mark", UDP, true, func(p *Probe) { p.Payload = PayloadPattern }, []uint32{1}, false},
		{"not fixed", UDP, false, func(p *Probe) { p.Fixed = false }, []uint32{1}, false},
		{"sequence", TCP, false, nil, []uint32{0, 1, 0xffffffff}, true},
	} {
		p := keyedProbe(tt.method, tt.v6)
		if tt.shape != nil {
			tt.shape(&p)
		}
		for _, token := range tt.tokens {
			got := p
			ok := got.SetToken(token)
			if ok != tt.want || !ok && got != p {
				t.Errorf("%s, %s %s: SetToken(%#x) = %t, want %t; probe %+v", tt.name, tt.method, familyName(tt.v6), token, ok, tt.want, got)
			}
		}
	}
	for _, m := range []Method{DCCP, Raw} {
		p := fullProbe(m, false, 0)
		before := p
		if p.SetToken(1) || p.MakeKeyed() || p != before {
			t.Errorf("%s takes a token: %+v", m, p)
		}
	}
}

func TestTokenAllocatesNothing(t *testing.T) {
	forEach(t, keyedMethods, func(t *testing.T, m Method, v6 bool) {
		p := keyedProbe(m, v6)
		r := quoteOf(v6, probePacket(t, p))
		token := uint32(0x01020304)
		if n := testing.AllocsPerRun(100, func() {
			token, _, _ = r.Token()
			p.SetToken(token + 1)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestMakeKeyed(t *testing.T) {
	type size struct{ short, long int }
	want := map[Method]map[bool]size{
		UDP:     {false: {34, 100}, true: {54, 100}},
		UDPLite: {false: {34, 100}, true: {54, 100}},
		ICMP:    {false: {34, 100}, true: {54, 100}},
		TCP:     {false: {60, 60}, true: {80, 80}},
	}
	forEach(t, keyedMethods, func(t *testing.T, m Method, v6 bool) {
		for _, n := range []int{MinSize(m, v6), 100} {
			p := fullProbe(m, v6, n)
			p.Coverage, p.NoChecksum = 0, m == UDP
			if !p.MakeKeyed() {
				t.Fatal("MakeKeyed = false")
			}
			size := want[m][v6].short
			if n == 100 {
				size = want[m][v6].long
			}
			if p.Size != size {
				t.Errorf("from %d bytes: %d, want %d", n, p.Size, size)
			}
			if !p.SetToken(0x12345678) {
				t.Error("SetToken = false")
			}
			if _, err := NewTemplate(Link{}, &p); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestTokenOfResets follows the token of a probe with ACK to the RST of a host
// that keeps to RFC 9293 section 3.10.7: its sequence number is the probe's
// acknowledgment.
func TestTokenOfResets(t *testing.T) {
	const token = 0x8001fffe
	for _, v6 := range []bool{false, true} {
		answer := answerToProbe(TCP, v6)
		p := Probe{
			Method: TCP, Src: answer.To, Dst: answer.From, TTL: 9, SrcPort: answer.DstPort, DstPort: answer.SrcPort,
			TCP: TCPHeader{Flags: FlagACK, Window: 1024},
		}
		if !p.MakeKeyed() || !p.SetToken(token) {
			t.Fatal("the probe carries no token")
		}
		ip := putFresh(t, Link{}, &p)
		transport := ip[len(ip)-p.HeaderLen()+ipHeaderLen(v6):]
		answer.Flags, answer.Ack, answer.Seq = FlagRST, 0, binary.BigEndian.Uint32(transport[tcpAckAt:])
		r := decode(answer.Append(nil), LinkRaw, false)
		if got, mask, ok := r.Token(); got != token || mask != 0xffffffff || !ok {
			t.Errorf("%s: Token = %#x, %#x, %t, want %#x and all of it", familyName(v6), got, mask, ok, uint32(token))
		}
	}
}
