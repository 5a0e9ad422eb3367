package privilege

import "testing"

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"/usr/bin/hopquote": "/usr/bin/hopquote",
		"":                  "''",
		"/my files/h":       "'/my files/h'",
		"it's":              `'it'\''s'`,
		"$HOME/h":           "'$HOME/h'",
		"/ü":                "'/ü'",
	} {
		if got := shellWord(s); got != want {
			t.Errorf("%q became %s, want %s", s, got, want)
		}
	}
}
