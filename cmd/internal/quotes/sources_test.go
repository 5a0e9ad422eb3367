package quotes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSources is the text of all tests of this package.
func testSources(t *testing.T) string {
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
