package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/cmd/internal/option"
)

// top is the folder of the README.
const top = "../.."

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// optionRow is a row of the README's table of options: the option in either
// dialect, its state, and the tests that show it.
var optionRow = regexp.MustCompile("(?m)^\\| (`-[^|]*`) \\| (Linux|BSD) \\| ([^|]+) \\| ([^|]+) \\|$")

// TestREADMEOptions holds the table of options against the programs: every
// option of both dialects is in it, and every test that it names exists.
func TestREADMEOptions(t *testing.T) {
	listed := map[string]bool{}
	tests := testNames(t)
	for _, row := range optionRow.FindAllStringSubmatch(readme(t), -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			listed[row[2]+" "+name[1]] = true
		}
		shown := regexp.MustCompile(`\bTest\w+`).FindAllString(row[4], -1)
		if len(shown) == 0 {
			t.Errorf("%s: no test named", row[1])
		}
		for _, name := range shown {
			if !tests[name] {
				t.Errorf("%s: there is no %s", row[1], name)
			}
		}
	}
	for _, s := range option.Table() {
		for _, name := range []string{s.Short, "--" + s.Long} {
			if name != "" && name != "--" && !listed["Linux "+name] {
				t.Errorf("option %s of the Linux dialect is not in the README's table", name)
			}
		}
	}
	usage, _ := exec.Command(filepath.Join(binaries, "hopquote"), "trace", "--bsd").CombinedOutput()
	letters := regexp.MustCompile(`\[-([A-Za-z]+)`).FindAllSubmatch(usage, -1)
	if len(letters) < 10 {
		t.Fatalf("the BSD dialect's usage text lists no options:\n%s", usage)
	}
	for _, group := range letters {
		for _, letter := range string(group[1]) {
			if !listed["BSD -"+string(letter)] {
				t.Errorf("option -%c of the BSD dialect is not in the README's table", letter)
			}
		}
	}
}

// testNames lists the test functions of all packages.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(top, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(b), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestREADMESchema sees that the README shows the JSON schema as it is.
func TestREADMESchema(t *testing.T) {
	schema, err := os.ReadFile(filepath.Join(top, "cmd/internal/output/jsonout/schema.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(readme(t), string(schema)) {
		t.Error("the README does not contain cmd/internal/output/jsonout/schema.md as it is")
	}
}

// TestREADMELinks follows the README's links to files.
func TestREADMELinks(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(readme(t), -1)
	if len(links) == 0 {
		t.Error("no links found")
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join(top, link[1])); err != nil {
			t.Error(err)
		}
	}
}
