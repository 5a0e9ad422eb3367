package trace

import (
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame/link"
)

// What is known of a path must not keep -F from finding it out.
func TestMTU(t *testing.T) {
	env := &link.Envelope{MTU: 1000, LinkMTU: 1500}
	for _, tt := range []struct {
		dontFragment bool
		want         int
	}{{false, 1000}, {true, 1500}} {
		r := &run{opts: &option.Options{DontFragment: tt.dontFragment}}
		if got := r.mtu(env); got != tt.want {
			t.Errorf("don't fragment %t: MTU %d, want %d", tt.dontFragment, got, tt.want)
		}
	}
}
