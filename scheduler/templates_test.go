package scheduler

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

var (
	here  = netip.MustParseAddr("10.9.9.1")
	there = netip.MustParseAddr("10.2.2.2")
)

// other gives another value of v's type, or fails.
func other(t *testing.T, name string, v reflect.Value) reflect.Value {
	t.Helper()
	switch x := v.Interface().(type) {
	case netip.Addr:
		return reflect.ValueOf(x.Next())
	case frame.Route:
		r, err := frame.NewRoute(frame.LSRR, []netip.Addr{here})
		if err != nil {
			t.Fatal(err)
		}
		return reflect.ValueOf(r)
	}
	w := reflect.New(v.Type()).Elem()
	w.Set(v)
	switch v.Kind() {
	case reflect.Bool:
		w.SetBool(!v.Bool())
	case reflect.Int:
		w.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		w.SetUint(v.Uint() + 1)
	case reflect.String:
		w.SetString(v.String() + "x")
	case reflect.Struct:
		w.Field(0).Set(other(t, name, v.Field(0)))
	default:
		t.Fatalf("no other value for field %s of %s", name, v.Type())
	}
	return w
}

// A field that is added to Probe must be compared as Shape has it.
func TestSameShapeIsEqualShape(t *testing.T) {
	route, err := frame.NewRoute(frame.LSRR, []netip.Addr{there})
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []frame.Probe{{Src: here, Dst: there}, {Src: here, Dst: there, Route: route}} {
		for f := range reflect.TypeFor[frame.Probe]().NumField() {
			p := base
			v := reflect.ValueOf(&p).Elem()
			name := v.Type().Field(f).Name
			v.Field(f).Set(other(t, name, v.Field(f)))
			want := p.Shape() == base.Shape()
			if got := sameShape(&base, &p); got != want {
				t.Errorf("%s differs: same shape %t, want %t (routed %t)", name, got, want, !base.Route.IsZero())
			}
		}
	}
}

// Shapes that take turns find their own templates, also when there are more
// than the recent ones hold.
func TestTemplatesOfManyShapes(t *testing.T) {
	var all templates
	for round := range 3 {
		for n := range 2 * recentShapes {
			p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
			tmpl, err := all.find(&p)
			if err != nil {
				t.Fatal(err)
			}
			if tmpl.Len() != p.Size {
				t.Errorf("round %d: a template of %d bytes for a probe of %d", round, tmpl.Len(), p.Size)
			}
		}
	}
	if len(all.all) != 2*recentShapes {
		t.Errorf("%d templates for %d shapes", len(all.all), 2*recentShapes)
	}
}

func TestTemplatesAreBounded(t *testing.T) {
	var all templates
	for n := range maxTemplates + 10 {
		p := frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
		if _, err := all.find(&p); err != nil {
			t.Fatal(err)
		}
	}
	if len(all.all) > maxTemplates {
		t.Errorf("%d templates are kept, want %d at most", len(all.all), maxTemplates)
	}
}

func BenchmarkFindTemplate(b *testing.B) {
	for _, shapes := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shapes=%d", shapes), func(b *testing.B) {
			var all templates
			probes := make([]frame.Probe, shapes)
			for n := range probes {
				probes[n] = frame.Probe{Method: frame.UDP, Src: here, Dst: there, Size: 40 + n}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 1) % shapes
				if _, err := all.find(&probes[i]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
