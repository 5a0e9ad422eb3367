package frame

import (
	"net/netip"
	"reflect"
	"testing"
)

// other gives another value of v's type, or fails.
func other(t *testing.T, name string, v reflect.Value) reflect.Value {
	t.Helper()
	switch x := v.Interface().(type) {
	case netip.Addr:
		return reflect.ValueOf(x.Next())
	case Route:
		r, err := NewRoute(LSRR, []netip.Addr{src4})
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
	route, err := NewRoute(LSRR, []netip.Addr{dst4})
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []Probe{{Src: src4, Dst: dst4}, {Src: src4, Dst: dst4, Route: route}} {
		for f := range reflect.TypeFor[Probe]().NumField() {
			p := base
			v := reflect.ValueOf(&p).Elem()
			name := v.Type().Field(f).Name
			v.Field(f).Set(other(t, name, v.Field(f)))
			want := p.Shape() == base.Shape()
			if got := p.SameShape(&base); got != want {
				t.Errorf("%s differs: same shape %t, want %t (routed %t)", name, got, want, !base.Route.IsZero())
			}
		}
	}
}
