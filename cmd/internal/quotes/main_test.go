package quotes

import (
	"os"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.RunTests(m)) }
