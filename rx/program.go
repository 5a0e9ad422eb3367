package rx

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// EtherTypes, from the IANA registry of RFC 9542.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// label names a place in a BPF program that jumps lead to.
type label int

const (
	next   label = iota // the following instruction
	accept              // keep the whole packet
	drop
	icmp
	icmpError
	fragment
	fromTarget
	firstOther // the labels that newLabel gives
)

// program writes a BPF program with jumps to labels, which classic BPF itself
// only knows as counts of instructions to skip, forward only.
type program struct {
	code  []bpf.Instruction
	jumps []labelled
	at    map[label][]int // where the label was put, in order
	other label           // how many labels newLabel gave
}

// newLabel gives a label of its own to who writes the same for both families.
func (p *program) newLabel() label {
	p.other++
	return firstOther + p.other - 1
}

type labelled struct {
	at      int // index of the JumpIf in code
	yes, no label
}

func (p *program) add(i bpf.Instruction) { p.code = append(p.code, i) }

// load reads size bytes at a fixed offset. A load past the packet's end ends
// the program and drops the packet, both in the kernel and in bpf.VM.
func (p *program) load(off uint32, size int) {
	p.add(bpf.LoadAbsolute{Off: off, Size: size})
}

func (p *program) jump(cond bpf.JumpTest, val uint32, yes, no label) {
	p.jumps = append(p.jumps, labelled{len(p.code), yes, no})
	p.add(bpf.JumpIf{Cond: cond, Val: val})
}

// oneOf goes to yes when the loaded value is one of vals and goes on otherwise.
func (p *program) oneOf(yes label, vals ...uint32) {
	for _, v := range vals {
		p.jump(bpf.JumpEqual, v, yes, next)
	}
}

// to goes to l whatever was loaded.
func (p *program) to(l label) { p.jump(bpf.JumpEqual, 0, l, l) }

// within goes to yes when the loaded value is lo..hi, and to no otherwise.
func (p *program) within(lo, hi uint32, yes, no label) {
	p.jump(bpf.JumpGreaterOrEqual, lo, next, no)
	p.jump(bpf.JumpGreaterThan, hi, no, yes)
}

// version goes on for packets of IP version number, and to other otherwise. The
// EtherType, where there is one, and the header must agree.
func (p *program) version(link frame.LinkType, number uint32, other label) {
	ether := uint32(etherIPv4)
	if number == 6 {
		ether = etherIPv6
	}
	if link == frame.LinkEthernet {
		p.load(12, 2)
		p.jump(bpf.JumpEqual, ether, next, other)
	}
	p.load(uint32(link.HeaderLen()), 1)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.jump(bpf.JumpEqual, number<<4, next, other)
}

// stepOverIPv4 adds the length of the IPv4 header at X+off to X.
func (p *program) stepOverIPv4(off uint32) {
	p.add(bpf.LoadIndirect{Off: off, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd})
	p.add(bpf.TAX{})
}

// move adds n to X.
func (p *program) move(n uint32) {
	p.add(bpf.TXA{})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n})
	p.add(bpf.TAX{})
}

// address goes on when the address at off is a, and drops otherwise.
func (p *program) address(off uint32, a []byte) {
	for i := 0; i < len(a); i += 4 {
		p.load(off+uint32(i), 4)
		p.jump(bpf.JumpEqual, binary.BigEndian.Uint32(a[i:]), next, drop)
	}
}

// otherAddress goes to other when the address at X+off is not a, and goes on
// otherwise.
func (p *program) otherAddress(off uint32, a []byte, other label) {
	for i := 0; i < len(a); i += 4 {
		p.add(bpf.LoadIndirect{Off: off + uint32(i), Size: 4})
		p.jump(bpf.JumpEqual, binary.BigEndian.Uint32(a[i:]), next, other)
	}
}

// mark puts a label here. Jumps lead to the next place that has their label,
// since they do not reach far.
func (p *program) mark(l label) {
	if p.at == nil {
		p.at = map[label][]int{}
	}
	p.at[l] = append(p.at[l], len(p.code))
}

func (p *program) ret(l label, n uint32) {
	p.mark(l)
	p.add(bpf.RetConstant{Val: n})
}

// assemble resolves the jumps.
func (p *program) assemble() ([]bpf.RawInstruction, error) {
	for _, j := range p.jumps {
		ins := p.code[j.at].(bpf.JumpIf)
		var err error
		if ins.SkipTrue, err = p.skip(j.at, j.yes); err != nil {
			return nil, err
		}
		if ins.SkipFalse, err = p.skip(j.at, j.no); err != nil {
			return nil, err
		}
		p.code[j.at] = ins
	}
	return bpf.Assemble(p.code)
}

func (p *program) skip(from int, to label) (uint8, error) {
	if to == next {
		return 0, nil
	}
	for _, at := range p.at[to] {
		if n := at - (from + 1); n >= 0 && n <= 255 {
			return uint8(n), nil
		}
	}
	return 0, fmt.Errorf("filter: jump at instruction %d finds no place within the 256 instructions behind it", from)
}
