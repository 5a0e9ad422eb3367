package frame

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func objectsOf(ext []byte) []Object {
	var all []Object
	for w := Objects(ext); ; {
		o, ok := w.Next()
		if !ok {
			return all
		}
		all = append(all, o)
	}
}

func labelsOf(data []byte) []LabelEntry {
	var all []LabelEntry
	for w := Labels(data); ; {
		e, ok := w.Next()
		if !ok {
			return all
		}
		all = append(all, e)
	}
}

func TestObjects(t *testing.T) {
	stack := Object{ClassMPLS, TypeMPLSIncoming, mplsExtension[8:16]}
	second := Object{2, 6, mplsExtension[20:28]}
	set := func(at int, v ...byte) []byte {
		b := slices.Clone(mplsExtension)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name string
		ext  []byte
		want []Object
	}{
		{"two objects", mplsExtension, []Object{stack, second}},
		{"another version", set(0, 0x02), []Object{stack, second}},
		{"object without data", []byte{0x20, 0, 0, 0, 0, 4, 3, 0}, []Object{{3, 0, []byte{}}}},
		{"nothing", nil, nil},
		{"three bytes", mplsExtension[:3], nil},
		{"header only", mplsExtension[:4], nil},
		{"first length 0", set(4, 0, 0), nil},
		{"first length 3", set(4, 0, 3), nil},
		{"first length 65535", set(4, 0xff, 0xff), nil},
		{"second length 0", set(16, 0, 0), []Object{stack}},
		{"second length 3", set(16, 0, 3), []Object{stack}},
		{"second length 65535", set(16, 0xff, 0xff), []Object{stack}},
		{"second cut", mplsExtension[:27], []Object{stack}},
		{"second header cut", mplsExtension[:19], []Object{stack}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, objectsOf(c.ext)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectWalkerStaysAtItsEnd(t *testing.T) {
	w := Objects(mplsExtension)
	for range 2 {
		if _, ok := w.Next(); !ok {
			t.Fatal("two objects expected")
		}
	}
	for range 3 {
		if o, ok := w.Next(); ok {
			t.Errorf("object %+v after the end", o)
		}
	}
}

func TestLabels(t *testing.T) {
	top := LabelEntry{Label: 100, Exp: 2, TTL: 3}
	bottom := LabelEntry{Label: 200, Exp: 2, Bottom: true, TTL: 255}
	data := mplsExtension[8:16]
	for _, c := range []struct {
		name string
		data []byte
		want []LabelEntry
	}{
		{"two entries", data, []LabelEntry{top, bottom}},
		{"an entry past the bottom", slices.Concat(data[4:], data[:4]), []LabelEntry{bottom, top}},
		{"an entry cut", data[:7], []LabelEntry{top}},
		{"nothing", nil, nil},
		{"all bits", []byte{0xff, 0xff, 0xff, 0xff}, []LabelEntry{{Label: 1<<20 - 1, Exp: 7, Bottom: true, TTL: 255}}},
		{"label only", []byte{0xff, 0xff, 0xf0, 0x00}, []LabelEntry{{Label: 1<<20 - 1}}},
		{"Exp only", []byte{0, 0, 0x0e, 0}, []LabelEntry{{Exp: 7}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, labelsOf(c.data)); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWalkersAllocateNothing(t *testing.T) {
	ext := withChecksum(mplsExtension)
	var entries int
	n := testing.AllocsPerRun(100, func() {
		if Valid(ext) != nil {
			return
		}
		for w := Objects(ext); ; {
			o, ok := w.Next()
			if !ok {
				return
			}
			for l := Labels(o.Data); ; entries++ {
				if _, ok := l.Next(); !ok {
					break
				}
			}
		}
	})
	if n != 0 || entries == 0 {
		t.Errorf("%v allocations, %d entries seen", n, entries)
	}
}
