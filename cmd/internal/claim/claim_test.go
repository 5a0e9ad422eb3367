package claim

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := open(), open()
	defer second.Close()
	if err := File(first); err != nil {
		t.Fatal(err)
	}
	if err := File(second); !errors.Is(err, ErrTaken) {
		t.Errorf("claimed twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := File(second); err != nil {
		t.Errorf("after the first is closed: %v", err)
	}
}
