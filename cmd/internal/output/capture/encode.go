package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/frame"
)

// maxFrame is how much of a frame is kept, in bytes: what readers accept as
// the largest packet of these link types (the pcapng draft's section 4.3
// leaves it open, libpcap's MAXIMUM_SNAPLEN is this).
const maxFrame = 262144

// maxInterfaceName bounds the name, in bytes; Linux allows 15.
const maxInterfaceName = 255

// The direction bits of the flags of an enhanced packet block, pcapng draft
// section 4.3.1.
const (
	inbound  = 1
	outbound = 2
)

// flagsOptionLen is the epb_flags option and the end-of-options mark behind
// it, in bytes.
const flagsOptionLen = 12

// described is said of an interface other than that of the probes.
const described = "replies that came by another interface than the probes left by: their link header is made up"

// encoder makes pcapng blocks. NgWriter lays them out in memory, where the
// direction, which it has no field for, is added to them.
type encoder struct {
	epoch time.Time
	base  pcapgo.NgInterface // that of the probes, number 0
	ng    *pcapgo.NgWriter
	block bytes.Buffer // what NgWriter has just made
	out   []byte       // whole blocks, ready for the file
	size  int64        // bytes in the file, whole blocks only
	// others are the interfaces from number 1 on, which the file gets to know
	// with their first frame.
	others []string
	known  map[string]int
}

// newEncoder makes an encoder with the section header and the interface
// description ready to be flushed.
func newEncoder(link frame.LinkType, interfaceName string, epoch time.Time) (*encoder, error) {
	if err := checkName(interfaceName); err != nil {
		return nil, err
	}
	linkType := layers.LinkTypeRaw
	if link == frame.LinkEthernet {
		linkType = layers.LinkTypeEthernet
	}
	e := &encoder{
		epoch: epoch, known: map[string]int{},
		base: pcapgo.NgInterface{Name: interfaceName, OS: runtime.GOOS, LinkType: linkType, SnapLength: maxFrame},
	}
	var err error
	e.ng, err = pcapgo.NewNgWriterInterface(&e.block, e.base,
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{
			Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "hopquote",
		}})
	if err != nil {
		return nil, err
	}
	if err := e.ng.Flush(); err != nil {
		return nil, err
	}
	e.out = append(e.out, e.block.Bytes()...)
	return e, nil
}

func checkName(name string) error {
	if len(name) > maxInterfaceName {
		return fmt.Errorf("interface name of %d bytes, at most %d are allowed", len(name), maxInterfaceName)
	}
	return nil
}

// number is an interface's in the file, which gets its description if it is new.
// All have the link type and the snapshot length of the first: readers built on
// libpcap refuse files whose interfaces differ in them.
func (e *encoder) number(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	if n, ok := e.known[name]; ok {
		return n, nil
	}
	if err := checkName(name); err != nil {
		return 0, err
	}
	e.block.Reset()
	other := e.base
	other.Name, other.Description = name, described
	n, err := e.ng.AddInterface(other)
	if err != nil {
		return 0, err
	}
	if err := e.ng.Flush(); err != nil {
		return 0, err
	}
	e.out = append(e.out, e.block.Bytes()...)
	e.others, e.known[name] = append(e.others, name), n
	return n, nil
}

// packet appends a frame's block to what is ready. length is the frame's
// length where data is cut, and by its interface, empty for that of the probes.
func (e *encoder) packet(at time.Duration, data []byte, length int, sent bool, by string) error {
	number, err := e.number(by)
	if err != nil {
		return err
	}
	e.block.Reset()
	info := gopacket.CaptureInfo{Timestamp: e.epoch.Add(at), CaptureLength: len(data), Length: length, InterfaceIndex: number}
	if err := e.ng.WritePacket(info, data); err != nil {
		return err
	}
	if err := e.ng.Flush(); err != nil {
		return err
	}
	e.out = appendWithDirection(e.out, e.block.Bytes(), sent)
	return nil
}

// appendWithDirection appends an enhanced packet block that has no options
// yet, with the epb_flags option put before its closing length.
func appendWithDirection(out, block []byte, sent bool) []byte {
	var option [flagsOptionLen]byte
	binary.LittleEndian.PutUint16(option[0:], 2) // epb_flags
	binary.LittleEndian.PutUint16(option[2:], 4)
	option[4] = inbound
	if sent {
		option[4] = outbound
	}
	from := len(out)
	body := block[:len(block)-4]
	total := uint32(len(block) + flagsOptionLen)
	out = append(append(out, body...), option[:]...)
	binary.LittleEndian.PutUint32(out[from+4:], total)
	return binary.LittleEndian.AppendUint32(out, total)
}

// flush writes what is ready. When that fails, the file is cut back to its
// last whole block, as far as it can be cut.
func (e *encoder) flush(f output) error {
	if len(e.out) == 0 {
		return nil
	}
	n, err := f.Write(e.out)
	if err == nil && n < len(e.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		e.size += int64(wholeBlocks(e.out, n))
		// A device or a pipe can't be cut; the first error is the one to tell.
		_ = f.Truncate(e.size)
		return err
	}
	e.size += int64(n)
	e.out = e.out[:0]
	return nil
}

// wholeBlocks gives how many of the first n bytes belong to blocks that end
// within them.
func wholeBlocks(b []byte, n int) int {
	whole := 0
	for whole+8 <= n {
		end := whole + int(binary.LittleEndian.Uint32(b[whole+4:]))
		if end > n {
			break
		}
		whole = end
	}
	return whole
}
