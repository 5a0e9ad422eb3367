package rx

import (
	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// ShardOf gives the shard that replies to probes from a source port, or with
// an echo identifier, go to: port % shards.
func ShardOf(port uint16, shards int) int { return int(port) % shards }

// steering gives the program by which the kernel chooses a packet's shard. It
// runs on packets from their IP header on, whatever the link is.
//
// An ICMP error goes by the source port or echo identifier that it quotes, of
// either IP version and inside of one other thing (see unwrapping), an
// echo reply by its identifier, any other answer by its destination port. What
// has none of them, or has it where classic BPF can't walk to, goes to shard 0:
// IPv6 packets and quotes with extension headers, later fragments, other
// protocols, packets cut short.
func steering(shards int) ([]bpf.RawInstruction, error) {
	var p program
	s := steerer{p.newLabel(), p.newLabel(), p.newLabel()}
	v6 := p.newLabel()
	p.version(frame.LinkRaw, 4, v6)
	s.ipv4(&p)
	p.mark(v6)
	p.version(frame.LinkRaw, 6, s.zero)
	s.ipv6(&p)
	s.quoted(&p)
	p.mark(s.modulo)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(shards)})
	p.add(bpf.RetA{})
	p.ret(s.zero, 0)
	return p.assemble()
}

// steerer has the labels that lead out of its parts: the loaded number decides,
// nothing does, and the quote behind X bytes of IP header and 8 of ICMP's does.
type steerer struct{ modulo, zero, quote label }

// withPorts are the protocols whose header starts with a source port and a
// destination port.
var withPorts = []uint32{protoUDP, protoTCP, protoUDPLite, protoDCCP}

// ipv4 loads the port or identifier of a packet and goes to modulo.
func (s steerer) ipv4(p *program) {
	onICMP, onPorts := p.newLabel(), p.newLabel()
	p.load(6, 2)
	p.jump(bpf.JumpBitsSet, 0x1fff, s.zero, next) // fragment offset
	p.add(bpf.LoadMemShift{Off: 0})               // X = header length
	p.load(9, 1)
	p.oneOf(onICMP, protoICMP)
	p.oneOf(onPorts, withPorts...)
	p.to(s.zero)
	p.mark(onPorts)
	p.add(bpf.LoadIndirect{Off: answerPortAt, Size: 2})
	p.to(s.modulo)

	p.mark(onICMP)
	p.add(bpf.LoadIndirect{Off: 0, Size: 1})
	p.oneOf(s.quote, 3, 11, 12)
	p.jump(bpf.JumpEqual, 0, next, s.zero) // echo reply
	p.add(bpf.LoadIndirect{Off: echoIDAt, Size: 2})
	p.to(s.modulo)
}

// ipv6 does the same for IPv6.
func (s steerer) ipv6(p *program) {
	onICMP, onPorts := p.newLabel(), p.newLabel()
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 40})
	p.load(6, 1)
	p.oneOf(onICMP, protoICMPv6)
	p.oneOf(onPorts, withPorts...)
	p.to(s.zero)
	p.mark(onPorts)
	p.load(40+answerPortAt, 2)
	p.to(s.modulo)

	p.mark(onICMP)
	p.load(40, 1)
	p.oneOf(s.quote, 1, 2, 3, 4)
	p.jump(bpf.JumpEqual, 129, next, s.zero) // echo reply
	p.load(40+echoIDAt, 2)
	p.to(s.modulo)
}

// quoted does it for the quote.
func (s steerer) quoted(p *program) {
	const at = 8
	u := unwrapping{
		at: at, ports4: withPorts, ports6: withPorts, plain4: p.newLabel(), plain6: p.newLabel(),
		echo4: p.newLabel(), echo6: p.newLabel(), inside: p.newLabel(), unseen: s.zero, none: s.zero,
	}
	p.mark(s.quote)
	u.write(p)

	in6 := p.newLabel()
	p.mark(u.inside)
	p.add(bpf.LoadIndirect{Off: at, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.oneOf(in6, 6<<4)
	p.jump(bpf.JumpEqual, 4<<4, next, s.zero)
	p.add(bpf.LoadIndirect{Off: at + 9, Size: 1})
	p.oneOf(u.plain4, withPorts...)
	p.jump(bpf.JumpEqual, protoICMP, u.echo4, s.zero)
	p.mark(in6)
	p.add(bpf.LoadIndirect{Off: at + 6, Size: 1})
	p.oneOf(u.plain6, withPorts...)
	p.jump(bpf.JumpEqual, protoICMPv6, u.echo6, s.zero)

	for _, header := range []struct {
		l  label
		at uint32
	}{{u.plain4, at + quotedPortAt}, {u.echo4, at + echoIDAt}} {
		p.mark(header.l)
		p.add(bpf.LoadIndirect{Off: at + 6, Size: 2})
		p.jump(bpf.JumpBitsSet, 0x1fff, s.zero, next)
		p.stepOverIPv4(at)
		p.add(bpf.LoadIndirect{Off: header.at, Size: 2})
		p.to(s.modulo)
	}
	p.mark(u.plain6)
	p.add(bpf.LoadIndirect{Off: at + 40 + quotedPortAt, Size: 2})
	p.to(s.modulo)
	p.mark(u.echo6)
	p.add(bpf.LoadIndirect{Off: at + 40 + echoIDAt, Size: 2})
}
