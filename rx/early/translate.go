package early

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/net/bpf"
)

// Where the state of the classic machine is. The kernel has loads from packets
// find the packet in R6.
const (
	regPacket = asm.R6
	regLength = asm.R7 // of the packet
	regA      = asm.R8
	regX      = asm.R9
)

// Labels of the places where a program ends.
const (
	labelDrop = "drop"
	labelPass = "pass"
)

// furthest bounds the offsets of loads; above are the kernel's extensions and
// negative offsets.
const furthest = 1 << 16

// translate gives the eBPF instructions that do as the classic filter does on
// the same packet. They jump to labelDrop where the filter accepts, and to
// labelPass where it does not, or reads behind the packet's end. R1 is the
// packet, of type struct __sk_buff.
func translate(filter []bpf.RawInstruction) (asm.Instructions, error) {
	t := translator{code: asm.Instructions{
		asm.Mov.Reg(regPacket, asm.R1),
		asm.LoadMem(regLength, regPacket, 0, asm.Word), // __sk_buff.len
		asm.Mov.Imm(regA, 0),
		asm.Mov.Imm(regX, 0),
	}}
	targets := make([]bool, len(filter))
	starts := make([]int, len(filter))
	for i, raw := range filter {
		t.at, t.last = i, len(filter)-1
		starts[i] = len(t.code)
		if err := t.one(raw.Disassemble()); err != nil {
			return nil, fmt.Errorf("filter instruction %d, %v: %w", i, raw.Disassemble(), err)
		}
	}
	for _, to := range t.jumps {
		targets[to] = true
	}
	for i, at := range starts {
		if targets[i] {
			t.code[at] = t.code[at].WithSymbol(place(i))
		}
	}
	if !t.drops {
		return nil, errors.New("the filter accepts nothing")
	}
	return t.code, nil
}

// translator collects the instructions.
type translator struct {
	code  asm.Instructions
	at    int   // the classic instruction in work
	last  int   // the last one
	jumps []int // classic instructions that are jumped to
	drops bool  // one of them accepts
}

func place(i int) string { return "classic" + strconv.Itoa(i) }

func (t *translator) add(list ...asm.Instruction) { t.code = append(t.code, list...) }

// to gives the label of the instruction that comes after skipping some.
func (t *translator) to(skip uint32) (string, error) {
	i := t.at + 1 + int(skip)
	if i > t.last {
		return "", fmt.Errorf("jumps behind instruction %d, the last", t.last)
	}
	t.jumps = append(t.jumps, i)
	return place(i), nil
}

var errUnsupported = errors.New("not supported")

func (t *translator) one(i bpf.Instruction) error {
	switch i := i.(type) {
	case bpf.LoadAbsolute:
		return t.absolute(regA, i.Off, i.Size)
	case bpf.LoadMemShift:
		if err := t.absolute(regX, i.Off, 1); err != nil {
			return err
		}
		t.add(asm.And.Imm(regX, 0xf), asm.LSh.Imm(regX, 2))
	case bpf.LoadIndirect:
		return t.indirect(i.Off, i.Size)
	case bpf.LoadConstant:
		reg := regA
		if i.Dst == bpf.RegX {
			reg = regX
		}
		t.add(asm.Mov.Imm32(reg, int32(i.Val)))
	case bpf.LoadExtension:
		if i.Num != bpf.ExtLen {
			return errUnsupported
		}
		t.add(asm.Mov.Reg(regA, regLength))
	case bpf.LoadScratch:
		reg := regA
		if i.Dst == bpf.RegX {
			reg = regX
		}
		t.add(asm.LoadMem(reg, asm.RFP, scratch(i.N), asm.DWord))
	case bpf.StoreScratch:
		reg := regA
		if i.Src == bpf.RegX {
			reg = regX
		}
		t.add(asm.StoreMem(asm.RFP, scratch(i.N), reg, asm.DWord))
	case bpf.TAX:
		t.add(asm.Mov.Reg(regX, regA))
	case bpf.TXA:
		t.add(asm.Mov.Reg(regA, regX))
	case bpf.ALUOpConstant:
		op, ok := operations[i.Op]
		if !ok || i.Val == 0 && (i.Op == bpf.ALUOpDiv || i.Op == bpf.ALUOpMod) {
			return errUnsupported
		}
		t.add(op.Imm32(regA, int32(i.Val)))
	case bpf.ALUOpX:
		// A division by zero ends a classic program, but not an eBPF program.
		op, ok := operations[i.Op]
		if !ok || i.Op == bpf.ALUOpDiv || i.Op == bpf.ALUOpMod {
			return errUnsupported
		}
		t.add(op.Reg32(regA, regX))
	case bpf.Jump:
		label, err := t.to(i.Skip)
		t.add(asm.Ja.Label(label))
		return err
	case bpf.JumpIf:
		return t.branch(i.Cond, i.SkipTrue, i.SkipFalse, func(op asm.JumpOp, label string) asm.Instruction {
			return op.Imm32(regA, int32(i.Val), label)
		})
	case bpf.JumpIfX:
		return t.branch(i.Cond, i.SkipTrue, i.SkipFalse, func(op asm.JumpOp, label string) asm.Instruction {
			return op.Reg32(regA, regX, label)
		})
	case bpf.RetConstant:
		if i.Val == 0 {
			t.add(asm.Ja.Label(labelPass))
			return nil
		}
		t.drops = true
		t.add(asm.Ja.Label(labelDrop))
	case bpf.RetA:
		t.drops = true
		t.add(asm.JNE.Imm32(regA, 0, labelDrop), asm.Ja.Label(labelPass))
	default:
		return errUnsupported
	}
	return nil
}

// scratch is where a word of the classic machine's memory is on the stack.
func scratch(n int) int16 { return -8 * int16(n+1) }

// sizes are the operand sizes of loads by their bytes.
var sizes = map[int]asm.Size{1: asm.Byte, 2: asm.Half, 4: asm.Word}

// absolute loads from a fixed offset. The load itself would end the program and
// let the packet pass by every other program too, hence the look ahead.
func (t *translator) absolute(dst asm.Register, off uint32, size int) error {
	if off > furthest {
		return errUnsupported
	}
	t.add(asm.JLT.Imm(regLength, int32(off)+int32(size), labelPass),
		asm.LoadAbs(int32(off), sizes[size]),
		asm.Mov.Reg(dst, asm.R0))
	return nil
}

// indirect loads from an offset to X, which has 32 bits in a register of 64: the
// sum does not wrap.
func (t *translator) indirect(off uint32, size int) error {
	if off > furthest {
		return errUnsupported
	}
	t.add(asm.Mov.Reg(asm.R1, regX),
		asm.Add.Imm(asm.R1, int32(off)+int32(size)),
		asm.JGT.Reg(asm.R1, regLength, labelPass),
		asm.LoadInd(asm.R0, regX, int32(off), sizes[size]),
		asm.Mov.Reg(regA, asm.R0))
	return nil
}

// operations are those of the arithmetic.
var operations = map[bpf.ALUOp]asm.ALUOp{
	bpf.ALUOpAdd: asm.Add, bpf.ALUOpSub: asm.Sub, bpf.ALUOpMul: asm.Mul, bpf.ALUOpDiv: asm.Div, bpf.ALUOpMod: asm.Mod,
	bpf.ALUOpAnd: asm.And, bpf.ALUOpOr: asm.Or, bpf.ALUOpXor: asm.Xor,
	bpf.ALUOpShiftLeft: asm.LSh, bpf.ALUOpShiftRight: asm.RSh,
}

// tests are the comparisons; that no bit is set has none of its own.
var tests = map[bpf.JumpTest]asm.JumpOp{
	bpf.JumpEqual: asm.JEq, bpf.JumpNotEqual: asm.JNE,
	bpf.JumpGreaterThan: asm.JGT, bpf.JumpLessThan: asm.JLT,
	bpf.JumpGreaterOrEqual: asm.JGE, bpf.JumpLessOrEqual: asm.JLE,
	bpf.JumpBitsSet: asm.JSet,
}

func (t *translator) branch(cond bpf.JumpTest, yes, no uint8, jump func(asm.JumpOp, string) asm.Instruction) error {
	if cond == bpf.JumpBitsNotSet {
		cond, yes, no = bpf.JumpBitsSet, no, yes
	}
	op, ok := tests[cond]
	if !ok {
		return errUnsupported
	}
	label, err := t.to(uint32(yes))
	if err != nil {
		return err
	}
	t.add(jump(op, label))
	if no == 0 {
		return nil
	}
	if label, err = t.to(uint32(no)); err != nil {
		return err
	}
	t.add(asm.Ja.Label(label))
	return nil
}
