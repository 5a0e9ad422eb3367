// Package mistake says what is wrong with a command line in our own words.
package mistake

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// wants is what values of flags have to be, by their type.
var wants = map[string]string{
	"int": "want a whole number", "uint64": "want a whole number, 0 to 18446744073709551615",
	"duration": "want a time with its unit, such as 500ms or 2s", "bool": "want true or false, or no value",
}

// Of says what can't be the value of a flag, where err is of pflag and about
// one; other errors are given as they are.
func Of(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return err
	}
	f := value.GetFlag()
	want, known := wants[f.Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s %q: %s", f.Name, value.GetValue(), want)
}
