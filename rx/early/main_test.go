package early

import (
	"os"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) {
	if index := os.Getenv(childInterface); index != "" {
		child(index)
	}
	os.Exit(lab.RunTests(m))
}
