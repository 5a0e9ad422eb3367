package internet

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
)

// TestObjectIsSource compiles the program anew and compares it with the object
// that is embedded: `make generate` was not forgotten.
func TestObjectIsSource(t *testing.T) {
	for _, tool := range []string{"make", "clang-14", "llvm-objcopy-14"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs make, clang-14 and llvm-14: ", err)
		}
	}
	fresh := filepath.Join(t.TempDir(), "internet_bpfel.o")
	cmd := exec.Command("make", "-s", "-C", "../../..", "generate", "CLANG=clang-14", "OBJCOPY=llvm-objcopy-14", "BPF_OBJECT="+fresh)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	compiled, err := ebpf.LoadCollectionSpec(fresh)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(outline(compiled), outline(embedded)); diff != "" {
		t.Errorf("internet_bpfel.o is not its source's, run `make generate` (-source +object):\n%s", diff)
	}
}

// outline is what makes up a program: its instructions, maps and variables.
func outline(s *ebpf.CollectionSpec) map[string]string {
	parts := map[string]string{}
	for name, p := range s.Programs {
		parts["program "+name] = fmt.Sprintf("%v %v, license %q\n%v", p.Type, p.AttachType, p.License, p.Instructions)
	}
	for name, m := range s.Maps {
		parts["map "+name] = fmt.Sprintf("%v of %d, %d to %d bytes, flags %d", m.Type, m.MaxEntries, m.KeySize, m.ValueSize, m.Flags)
	}
	for name, v := range s.Variables {
		parts["variable "+name] = fmt.Sprintf("%d bytes at %d of %s", len(v.Value), v.Offset, v.SectionName)
	}
	return parts
}
