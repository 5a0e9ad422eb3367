package main

import (
	"os"
	"strings"
	"testing"
)

// The README says of every module why it is there.
func TestReadmeDependencies(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(readme), "## Dependencies\n")
	if !ok {
		t.Fatal("the README has no section on dependencies")
	}
	n := 0
	for line := range strings.Lines(string(mod)) {
		name, version, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "require ")), " v")
		if !ok || strings.Contains(version, "// indirect") || !strings.Contains(name, ".") {
			continue
		}
		n++
		// The last part of a path may be its major version or a package of it.
		parts := strings.Split(name, "/")
		if !strings.Contains(table, strings.Join(parts[:min(3, len(parts))], "/")) {
			t.Errorf("%s is not in the table", name)
		}
	}
	if n == 0 {
		t.Error("go.mod requires nothing")
	}
}
