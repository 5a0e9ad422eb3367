package benchcmd

import "runtime/debug"

// version names the program as it was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "hopquote"
	}
	v := "hopquote " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			v += " " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return v
}
