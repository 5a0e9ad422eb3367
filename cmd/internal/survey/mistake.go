package survey

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// mistake says in our own words what can't be the value of a flag.
func mistake(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return err
	}
	f := value.GetFlag()
	want := map[string]string{
		"int": "want a whole number", "uint64": "want a whole number, 0 to 18446744073709551615",
		"duration": "want a time with its unit, such as 500ms or 2s", "bool": "want true or false, or no value",
	}[f.Value.Type()]
	return fmt.Errorf("--%s %q: %s", f.Name, value.GetValue(), want)
}

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
