package prefault

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/google/gopacket/layers"
)

func TestTablesAreGopackets(t *testing.T) {
	from, to := tables()
	for name, table := range map[string]struct{ at, size uintptr }{
		"EthernetTypeMetadata": {uintptr(unsafe.Pointer(&layers.EthernetTypeMetadata)), unsafe.Sizeof(layers.EthernetTypeMetadata)},
		"PPPTypeMetadata":      {uintptr(unsafe.Pointer(&layers.PPPTypeMetadata)), unsafe.Sizeof(layers.PPPTypeMetadata)},
	} {
		if table.at < from || table.at+table.size > to {
			t.Errorf("%s at %#x..%#x is not within %#x..%#x", name, table.at, table.at+table.size, from, to)
		}
	}
	if to-from > mostMemory {
		t.Errorf("tables from %#x to %#x, more than %d bytes", from, to, mostMemory)
	}
}

// The variables that stand for gopacket's take nothing of them.
func TestTablesHold(t *testing.T) {
	runtime.GC()
	if n := layers.EthernetTypeMetadata; len(n) != 1<<16 || n[layers.EthernetTypeIPv4].Name != "IPv4" || n[0xfffe].Name != "UnknownEthernetType" {
		t.Errorf("%d EtherTypes, IPv4 is %q, 0xfffe is %q", len(n), n[layers.EthernetTypeIPv4].Name, n[0xfffe].Name)
	}
	if got := layers.EthernetTypeIPv4.LayerType(); got != layers.LayerTypeIPv4 {
		t.Errorf("EtherType IPv4 is layer %v, want %v", got, layers.LayerTypeIPv4)
	}
}
