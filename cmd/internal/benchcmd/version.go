package benchcmd

import (
	"runtime/debug"

	"github.com/hopquote/hopquote/cmd/internal/option"
)

// version names the program as it was built.
func version() string {
	v := "hopquote " + option.Version
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return v
}
