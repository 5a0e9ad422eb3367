// Package prefault makes programs that import gopacket's layers start sooner.
//
// That package fills four tables of 6 MB with what it says of unknown numbers
// as it is initialized, and each of their 1,500 pages is a page fault of 2 us:
// a third of what a short trace takes. Here the kernel is asked for large pages
// instead, and for the rest ahead of time, on another processor.
//
// Importing the package for its effect is enough: it needs next to nothing, so
// that it is initialized among the first. All of it is best effort, and changes
// nothing but the time taken.
package prefault

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The tables. Each is declared with one byte: of two variables without
// contents, the linker takes the larger one, which is gopacket's.
var (
	//go:linkname ethernetTypes github.com/google/gopacket/layers.EthernetTypeMetadata
	ethernetTypes [1]byte
	//go:linkname pppTypes github.com/google/gopacket/layers.PPPTypeMetadata
	pppTypes [1]byte
	//go:linkname unknownEthernet github.com/google/gopacket/layers.errorDecodersForEthernetType
	unknownEthernet [1]byte
	//go:linkname unknownPPP github.com/google/gopacket/layers.errorDecodersForPPPType
	unknownPPP [1]byte
)

const (
	pageSize = 4 << 10
	hugePage = 2 << 20
	// leastTable is what each table takes at least: a word for every number.
	leastTable = 1 << 16 * unsafe.Sizeof(uintptr(0))
	// mostMemory is more than the tables and what lies between them take.
	mostMemory = 16 << 20
)

// madvise(2) advice that package syscall lacks.
const populateWrite = 23 // MADV_POPULATE_WRITE, Linux 5.14

func init() {
	from, to := tables()
	if to-from > mostMemory {
		return // the linker has put them elsewhere
	}
	advise(up(from, hugePage), up(to, hugePage), syscall.MADV_HUGEPAGE)
	if runtime.NumCPU() > 1 {
		go advise(from&^(pageSize-1), up(to, pageSize), populateWrite)
	}
}

// tables is where the tables begin and end.
func tables() (from, to uintptr) {
	from = ^uintptr(0)
	for _, table := range []*[1]byte{&ethernetTypes, &pppTypes, &unknownEthernet, &unknownPPP} {
		at := uintptr(unsafe.Pointer(table))
		from, to = min(from, at), max(to, at+leastTable)
	}
	return from, to
}

func up(at, unit uintptr) uintptr { return (at + unit - 1) &^ (unit - 1) }

// advise is madvise(2) in a program that can do without.
func advise(from, to, advice uintptr) {
	// Not RawSyscall: that would hold up who wants to stop all goroutines.
	syscall.Syscall(syscall.SYS_MADVISE, from, to-from, advice)
}
