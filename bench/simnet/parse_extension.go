package simnet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// modifier parses the modifiers that are about the extension.
func (e *extension) modifier(w string, c *cursor) (err error) {
	var n uint64
	switch w {
	case "length":
		switch {
		case c.skip("auto"):
			e.length = lengthAuto
		case c.skip("zero"):
			e.length = lengthNone
		default:
			n, err = c.number("length", 0, 255)
			e.length = int(n)
		}
	case "mpls":
		err = e.addLabels(c)
	case "object":
		err = e.addObject(c)
	case "ext":
		e.raw, err = c.hex("ext", maxExtension)
	case "extversion":
		n, err = c.number("extversion", 0, 15)
		e.version = uint8(n)
	case "extsum":
		switch {
		case c.skip("good"):
			e.sum = sumGood
		case c.skip("bad"):
			e.sum = sumBad
		case c.skip("zero"):
			e.sum = sumZero
		default:
			err = fmt.Errorf("extsum %q: must be good, bad or zero", c.peek())
		}
	default:
		err = fmt.Errorf("modifier %q: must be one of %s", w, modifierNames)
	}
	return err
}

func (e *extension) addLabels(c *cursor) error {
	data, err := parseLabels(c)
	if err != nil {
		return err
	}
	return e.add(frame.ClassMPLS, frame.TypeMPLSIncoming, data)
}

// parseLabels parses "LABEL/EXP/BOTTOM/TTL[,...]" (RFC 3032 section 2.1).
func parseLabels(c *cursor) ([]byte, error) {
	w, _ := c.take()
	var data []byte
	for _, entry := range strings.Split(w, ",") {
		parts := strings.Split(entry, "/")
		if len(parts) != 4 {
			return nil, fmt.Errorf("mpls %q: must be entries LABEL/EXP/BOTTOM/TTL joined by commas", w)
		}
		var word uint64
		for i, field := range []struct {
			name string
			top  uint64
			bits int
		}{{"label", 1<<20 - 1, 20}, {"exp", 7, 3}, {"bottom", 1, 1}, {"TTL", 255, 8}} {
			n, err := parseNumber(parts[i], "mpls "+field.name, 0, field.top)
			if err != nil {
				return nil, err
			}
			word = word<<field.bits | n
		}
		data = binary.BigEndian.AppendUint32(data, uint32(word))
	}
	return data, nil
}

// addObject parses "CLASS/TYPE [HEX]".
func (e *extension) addObject(c *cursor) error {
	w, _ := c.take()
	class, typ, err := parsePair(w, "object")
	if err != nil {
		return err
	}
	var data []byte
	if b, err := hex.DecodeString(c.peek()); err == nil && len(b) > 0 {
		c.take()
		data = b
	}
	return e.add(class, typ, data)
}

func (e *extension) add(class, typ uint8, data []byte) error {
	const header = 4
	e.objects = binary.BigEndian.AppendUint16(e.objects, uint16(header+len(data)))
	e.objects = append(e.objects, class, typ)
	e.objects = append(e.objects, data...)
	if len(e.objects) > maxExtension {
		return fmt.Errorf("objects of %d bytes: %d are allowed", len(e.objects), maxExtension)
	}
	return nil
}

// bytes is the structure as it goes on the wire, nil if there is none.
func (e *extension) bytes() []byte {
	if e.raw != nil {
		return e.raw
	}
	if len(e.objects) == 0 {
		return nil
	}
	b := append([]byte{e.version << 4, 0, 0, 0}, e.objects...)
	if e.sum != sumZero {
		sum := ^frame.Fold(frame.Sum(b, 0))
		if e.sum == sumBad {
			sum ^= 0x5555
		}
		binary.BigEndian.PutUint16(b[2:], sum)
	}
	return b
}
