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
// An ICMP error goes by the source port or echo identifier that it quotes, an
// echo reply by its identifier, any other answer by its destination port. What
// has none of them, or has it where classic BPF can't walk to, goes to shard 0:
// IPv6 packets and quotes with extension headers, later fragments, other
// protocols, packets cut short.
func steering(shards int) ([]bpf.RawInstruction, error) {
	var p program
	modulo, zero, v6 := p.newLabel(), p.newLabel(), p.newLabel()
	p.version(frame.LinkRaw, 4, v6)
	steerIPv4(&p, modulo, zero)
	p.mark(v6)
	p.version(frame.LinkRaw, 6, zero)
	steerIPv6(&p, modulo, zero)
	p.mark(modulo)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(shards)})
	p.add(bpf.RetA{})
	p.ret(zero, 0)
	return p.assemble()
}

// withPorts are the protocols whose header starts with a source port and a
// destination port.
var withPorts = []uint32{protoUDP, protoTCP, protoUDPLite, protoDCCP}

// steerIPv4 loads the port or identifier of a packet and goes to modulo.
func steerIPv4(p *program, modulo, zero label) {
	const quote = 8 // from the ICMP header
	onICMP, onError, onPorts, onEcho := p.newLabel(), p.newLabel(), p.newLabel(), p.newLabel()
	p.load(6, 2)
	p.jump(bpf.JumpBitsSet, 0x1fff, zero, next) // fragment offset
	p.add(bpf.LoadMemShift{Off: 0})             // X = header length
	p.load(9, 1)
	p.oneOf(onICMP, protoICMP)
	p.oneOf(onPorts, withPorts...)
	p.to(zero)
	p.mark(onPorts)
	p.add(bpf.LoadIndirect{Off: answerPortAt, Size: 2})
	p.to(modulo)

	p.mark(onICMP)
	p.add(bpf.LoadIndirect{Off: 0, Size: 1})
	p.oneOf(onError, 3, 11, 12)
	p.jump(bpf.JumpEqual, 0, next, zero) // echo reply
	p.add(bpf.LoadIndirect{Off: echoIDAt, Size: 2})
	p.to(modulo)

	p.mark(onError)
	p.add(bpf.LoadIndirect{Off: quote + 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x1fff, zero, next)
	p.add(bpf.LoadIndirect{Off: quote + 9, Size: 1})
	onQuotedPorts := p.newLabel()
	p.oneOf(onEcho, protoICMP)
	p.oneOf(onQuotedPorts, withPorts...)
	p.to(zero)
	p.mark(onEcho)
	p.stepOverIPv4(quote)
	p.add(bpf.LoadIndirect{Off: quote + echoIDAt, Size: 2})
	p.to(modulo)
	p.mark(onQuotedPorts)
	p.stepOverIPv4(quote)
	p.add(bpf.LoadIndirect{Off: quote + quotedPortAt, Size: 2})
	p.to(modulo)
}

// steerIPv6 does the same for IPv6.
func steerIPv6(p *program, modulo, zero label) {
	const quote = 40 + 8
	onICMP, onError, onPorts, onEcho := p.newLabel(), p.newLabel(), p.newLabel(), p.newLabel()
	p.load(6, 1)
	p.oneOf(onICMP, protoICMPv6)
	p.oneOf(onPorts, withPorts...)
	p.to(zero)
	p.mark(onPorts)
	p.load(40+answerPortAt, 2)
	p.to(modulo)

	p.mark(onICMP)
	p.load(40, 1)
	p.oneOf(onError, 1, 2, 3, 4)
	p.jump(bpf.JumpEqual, 129, next, zero) // echo reply
	p.load(40+echoIDAt, 2)
	p.to(modulo)

	p.mark(onError)
	onQuotedPorts := p.newLabel()
	p.load(quote+6, 1)
	p.oneOf(onEcho, protoICMPv6)
	p.oneOf(onQuotedPorts, withPorts...)
	p.to(zero)
	p.mark(onEcho)
	p.load(quote+40+echoIDAt, 2)
	p.to(modulo)
	p.mark(onQuotedPorts)
	p.load(quote+40+quotedPortAt, 2)
	p.to(modulo)
}
