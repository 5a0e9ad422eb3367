package leave

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestIsZombie(t *testing.T) {
	stat := func(name, state string, start int) string {
		return fmt.Sprintf("77 (%s) %s 1%s %d 0 0", name, state, strings.Repeat(" 0", 17), start)
	}
	for _, tt := range []struct {
		name, stat string
		want       bool
	}{
		{"old zombie", stat("hopquote", "Z", 199), true},
		{"young zombie", stat("hopquote", "Z", 200), false},
		{"living", stat("hopquote", "S", 1), false},
		{"name like a zombie's", stat("a) Z (b", "S", 1), false},
		{"zombie of such a name", stat("a) S 1 (b", "Z", 1), true},
		{"cut", stat("hopquote", "Z", 1)[:30], false},
		{"empty", "", false},
	} {
		if got := isZombie([]byte(tt.stat), 2*time.Second); got != tt.want {
			t.Errorf("%s: %q: %t, want %t", tt.name, tt.stat, got, tt.want)
		}
	}
}
