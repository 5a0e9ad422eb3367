package survey

import (
	"fmt"

	"github.com/spf13/pflag"
)

// notEmpty refuses options that are given with nothing as their value: a script's
// variable that was never set must not make a survey of all there is.
func notEmpty(f *pflag.FlagSet) (err error) {
	f.Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			what, _ := pflag.UnquoteUsage(f)
			err = fmt.Errorf("--%s %q: want %s", f.Name, "", what)
		}
	})
	return err
}
