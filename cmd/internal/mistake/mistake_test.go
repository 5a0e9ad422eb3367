package mistake

import (
	"errors"
	"testing"

	"github.com/spf13/pflag"
)

func TestOf(t *testing.T) {
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.IntP("number", "n", 0, "")
	f.Uint64("seed", 0, "")
	f.Duration("time", 0, "")
	f.Bool("yes", false, "")
	f.IP("other", nil, "")
	for args, want := range map[string]string{
		"--number=x":  `--number "x": want a whole number`,
		"-nx":         `--number "x": want a whole number`,
		"--seed=-1":   `--seed "-1": want a whole number, 0 to 18446744073709551615`,
		"--time=5":    `--time "5": want a time with its unit, such as 500ms or 2s`,
		"--yes=maybe": `--yes "maybe": want true or false, or no value`,
		"--other=x":   `invalid argument "x" for "--other" flag: failed to parse IP: "x"`,
		"--unknown":   "unknown flag: --unknown",
	} {
		if err := Of(f.Parse([]string{args})); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
	if err := errors.New("else"); Of(err) != err || Of(nil) != nil {
		t.Error("changes what is no mistake of a value")
	}
}
