package early

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// program loads a filter's program without attaching it.
func program(t testing.TB, filter []bpf.RawInstruction) *ebpf.Program {
	t.Helper()
	body, err := translate(filter)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { counts.Close() })
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, Instructions: append(body, ends(counts.FD())...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// same holds the program against the classic filter, as its authors' machine
// runs it, on one frame. The kernel takes no frame without an Ethernet header.
func same(t *testing.T, p *ebpf.Program, vm *bpf.VM, b []byte) (kept bool) {
	t.Helper()
	n, err := vm.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(&ebpf.RunOptions{Data: b})
	if err != nil {
		t.Fatal(err)
	}
	want := uint32(0xffffffff) // tcxNext
	if n > 0 {
		want = tcxDrop
	}
	if got != want {
		t.Errorf("the program says %d, want %d, to %x", int32(got), int32(want), b)
	}
	return n > 0
}

func machine(t *testing.T, filter []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	list, _ := bpf.Disassemble(filter)
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// The program and the survey filter agree on replies and on replies with some
// bytes changed or cut off.
func TestSameAsFilter(t *testing.T) {
	needEBPF(t)
	local4, local6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	ethernet := frame.Link{Type: frame.LinkEthernet}
	r := rand.New(rand.NewPCG(1, 2))
	for m := frame.UDP; m <= frame.DCCP; m++ {
		f := rx.SurveyFilter{Link: frame.LinkEthernet, Local4: local4, Local6: local6, Method: m, SrcPorts: ports}
		for _, build := range []func() ([]bpf.RawInstruction, error){f.Program, f.Exact} {
			code, err := build()
			if err != nil {
				t.Fatal(err)
			}
			p, vm := program(t, code), machine(t, code)
			kept := 0
			const tries = 400
			for range tries {
				local := local4
				exceeded := uint8(11)
				if r.IntN(2) == 0 {
					local, exceeded = local6, 3
				}
				q := frame.Probe{Method: m, Src: local, Dst: local, TTL: 1, SrcPort: ports[0] - 2 + uint16(r.IntN(68)), TCP: frame.TCPHeader{Flags: frame.FlagSYN}}
				q.Size = q.HeaderLen()
				tmpl, err := frame.NewTemplate(frame.Link{}, &q)
				if err != nil {
					t.Fatal(err)
				}
				quote := make([]byte, tmpl.Len())
				tmpl.Put(quote, &q)
				e := frame.ErrorMessage{Link: ethernet, From: local, To: local, Type: exceeded, Quote: quote}
				a := frame.Answer{Link: ethernet, From: local, To: local, Method: m, SrcPort: q.SrcPort, DstPort: q.SrcPort}
				b := e.Append(nil)
				if r.IntN(2) == 0 {
					b = a.Append(nil)
				}
				for range r.IntN(3) {
					b[r.IntN(len(b))] = byte(r.Uint32())
				}
				// The kernel runs programs on whole IP headers only.
				least := 14 + 20
				if local.Is6() {
					least = 14 + 40
				}
				if r.IntN(4) == 0 {
					b = b[:least+r.IntN(len(b)-least+1)]
				}
				if same(t, p, vm, b) {
					kept++
				}
			}
			if kept < tries/4 || kept == tries {
				t.Errorf("%s: %d of %d frames kept: the test shows little", m, kept, tries)
			}
		}
	}
}

// Every instruction that is supported does what the classic one does.
func TestInstructions(t *testing.T) {
	needEBPF(t)
	frames := [][]byte{
		make([]byte, 14), append(make([]byte, 14), 0x45, 0xff, 0xff, 0xff, 0x80, 0, 0, 7), append(make([]byte, 14), 3, 0, 0, 0, 4, 0xff, 0xff, 0xff, 9),
	}
	load := bpf.LoadAbsolute{Off: 14, Size: 4}
	accept, refuse := bpf.RetConstant{Val: 1}, bpf.RetConstant{}
	for name, list := range map[string][]bpf.Instruction{
		"return A":       {load, bpf.RetA{}},
		"half":           {bpf.LoadAbsolute{Off: 16, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0xffff, SkipFalse: 1}, accept, refuse},
		"indirect":       {bpf.LoadMemShift{Off: 14}, bpf.LoadIndirect{Off: 1, Size: 1}, accept},
		"far indirect":   {load, bpf.TAX{}, bpf.LoadIndirect{Off: 1, Size: 1}, accept},
		"constant in X":  {bpf.LoadConstant{Dst: bpf.RegX, Val: 0x80000000}, load, bpf.JumpIfX{Cond: bpf.JumpGreaterThan, SkipTrue: 1}, refuse, accept},
		"constant in A":  {bpf.LoadConstant{Dst: bpf.RegA, Val: 0xffffffff}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 1}, bpf.RetA{}},
		"length":         {bpf.LoadExtension{Num: bpf.ExtLen}, bpf.RetA{}},
		"A in memory":    {load, bpf.StoreScratch{Src: bpf.RegA, N: 3}, bpf.LoadConstant{Dst: bpf.RegA, Val: 1}, bpf.LoadScratch{Dst: bpf.RegX, N: 3}, bpf.TXA{}, bpf.RetA{}},
		"X in memory":    {bpf.LoadMemShift{Off: 14}, bpf.StoreScratch{Src: bpf.RegX, N: 0}, load, bpf.LoadScratch{Dst: bpf.RegA, N: 0}, bpf.RetA{}},
		"X to A":         {bpf.LoadMemShift{Off: 14}, bpf.TXA{}, bpf.RetA{}},
		"A and X":        {bpf.LoadMemShift{Off: 14}, load, bpf.ALUOpX{Op: bpf.ALUOpSub}, bpf.RetA{}},
		"divide":         {load, bpf.ALUOpConstant{Op: bpf.ALUOpDiv, Val: 0x40000000}, bpf.RetA{}},
		"modulo":         {load, bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: 3}, bpf.RetA{}},
		"shift right":    {load, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 30}, bpf.RetA{}},
		"shift left":     {load, bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 31}, bpf.RetA{}},
		"exclusive or":   {load, bpf.ALUOpConstant{Op: bpf.ALUOpXor, Val: 0x45ffffff}, bpf.RetA{}},
		"bits set":       {load, bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0xc0000000, SkipTrue: 1}, refuse, accept},
		"bits not set":   {load, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0xc0000000, SkipTrue: 1}, refuse, accept},
		"both ways":      {load, bpf.JumpIf{Cond: bpf.JumpEqual, SkipTrue: 1}, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: 0x45000000, SkipTrue: 1, SkipFalse: 2}, refuse, accept, refuse},
		"less, as a not": {load, bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 0x45000000, SkipTrue: 1}, refuse, accept},
		"jump":           {load, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, bpf.Jump{Skip: 1}, refuse, accept},
	} {
		t.Run(name, func(t *testing.T) {
			code := rule(t, list...)
			p, vm := program(t, code), machine(t, code)
			for _, b := range frames {
				same(t, p, vm, b)
			}
		})
	}
}
