package option

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse reads the input as one word a line.
func FuzzParse(f *testing.F) {
	f.Add("", false)
	for i, r := range refusedRows() {
		if i%7 == 0 {
			f.Add(strings.Join(r.argv(), "\n"), false)
		}
	}
	for i, a := range acceptedLines {
		if i%7 == 0 {
			f.Add(strings.Join(words("traceroute", a.line), "\n"), i%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, text string, posix bool) {
		argv := strings.Split(text, "\n")
		o, err := parseEnv(func(string) (string, bool) { return "", posix }, argv...)
		if err != nil {
			var exit *Exit
			if !errors.As(err, &exit) || exit.Code != 0 && exit.Code != 2 {
				t.Fatalf("%q: %#v is no Exit with code 0 or 2", argv, err)
			}
			if !strings.HasSuffix(exit.Stderr, "\n") || exit.Error() == "" || o != nil {
				t.Fatalf("%q: exit without text, or with options: %+v, %+v", argv, exit, o)
			}
			return
		}
		switch {
		case !o.Addr.IsValid() || o.Addr.Is4In6() || o.Family != familyOf(o.Addr):
			t.Errorf("%q: address %v, family %d", argv, o.Addr, o.Family)
		case o.SourceAddr.IsValid() && familyOf(o.SourceAddr) != o.Family:
			t.Errorf("%q: source %v for family %d", argv, o.SourceAddr, o.Family)
		case o.First < 1 || o.First > o.Max || o.Max > 255 || o.Queries < 1 || o.Queries > 10 || o.Sim < 1:
			t.Errorf("%q: out of range: %+v", argv, o)
		case o.PacketLen < -1 || o.PacketLen > 65000 || o.FlowLabel > 0xfffff:
			t.Errorf("%q: out of range: %+v", argv, o)
		case !(o.Wait.Max >= 0 && o.Wait.Here >= 0 && o.Wait.Near >= 0 && o.SendWait >= 0):
			t.Errorf("%q: out of range: %+v", argv, o)
		}
	})
}
