package rx

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// label names a place in a BPF program that jumps lead to.
type label uint8

const (
	next   label = iota // the following instruction
	accept              // keep the whole packet
	drop
	icmp
	icmpError
	fragment
	fromTarget
	labels
)

// program writes a BPF program with jumps to labels, which classic BPF itself
// only knows as counts of instructions to skip, forward only.
type program struct {
	code  []bpf.Instruction
	jumps []labelled
	at    [labels]int // label's instruction, plus one; 0 while unmarked
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

// address goes on when the address at off is a, and drops otherwise.
func (p *program) address(off uint32, a []byte) {
	for i := 0; i < len(a); i += 4 {
		word := uint32(a[i])<<24 | uint32(a[i+1])<<16 | uint32(a[i+2])<<8 | uint32(a[i+3])
		p.load(off+uint32(i), 4)
		p.jump(bpf.JumpEqual, word, next, drop)
	}
}

func (p *program) mark(l label) { p.at[l] = len(p.code) + 1 }

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
	n := p.at[to] - 1 - (from + 1)
	if n < 0 || n > 255 {
		return 0, fmt.Errorf("filter: jump at instruction %d skips %d instructions, allowed are 0..255", from, n)
	}
	return uint8(n), nil
}
