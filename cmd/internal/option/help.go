package option

import (
	"fmt"
	"runtime"
	"strings"
)

// Version is the program's version, X.Y.Z. The build may set it with
// -ldflags -X.
var Version = "0.1.0"

// Columns of the help text, counted from 0.
const (
	optionColumn   = 2
	textColumn     = 30
	argumentColumn = 20
	helpWidth      = 80
)

// help is the Exit with the help text.
func help(program string, table []Spec) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s%s host [ packetlen ]\nOptions:\n", program, synopsis(table))
	for _, s := range table {
		entry(&b, strings.Repeat(" ", optionColumn)+s.names(), textColumn, s.Help)
	}
	b.WriteString("\nArguments:\n")
	entry(&b, "+     host", argumentColumn, "Name or address to trace the route to")
	entry(&b, "      packetlen", argumentColumn, "Whole length of a probe in bytes, IP header included: "+
		"40 more than the IP header unless given. Raised to what the headers need; without effect for TCP")
	return &Exit{Stderr: b.String()}
}

// synopsis gives all options in short: flags in one group, then those with a
// value, under their short names where they have one.
func synopsis(table []Spec) string {
	var flags, values strings.Builder
	for _, s := range table {
		switch {
		case s.Value == "" && len(s.Short) > len("-x"): // can't stand in a group
		case s.Value == "":
			flags.WriteString(strings.TrimPrefix(s.Short, "-"))
		case s.Short != "":
			fmt.Fprintf(&values, " [ %s %s ]", s.Short, s.Value)
		default:
			fmt.Fprintf(&values, " [ --%s=%s ]", s.Long, s.Value)
		}
	}
	return " [ -" + flags.String() + " ]" + values.String()
}

// names gives an option's short and long form, with the value in both.
func (s *Spec) names() string {
	var forms []string
	if s.Short != "" {
		form := s.Short
		if s.Value != "" {
			form += " " + s.Value
		}
		forms = append(forms, form)
	}
	if s.Long != "" {
		form := "--" + s.Long
		if s.Value != "" {
			form += "=" + s.Value
		}
		forms = append(forms, form)
	}
	return strings.Join(forms, "  ")
}

// helpItems is the Exit that lists what -O takes for a method. A name that is
// no method has nothing to list: it is refused only when all options are read.
func helpItems(name string) error {
	m := findMethod(name)
	if m == nil || len(m.keywords) == 0 {
		return &Exit{Stderr: fmt.Sprintf("No options for module `%s'\n", name)}
	}
	var b strings.Builder
	for _, k := range m.keywords {
		left := strings.Repeat(" ", optionColumn) + k.name
		if k.value != "" {
			left += "=" + k.value
		}
		entry(&b, left, textColumn, k.help)
	}
	if m.exclusive {
		fmt.Fprintf(&b, "One of these at most:\n    %s\n", m.choices())
	}
	return &Exit{Stderr: b.String()}
}

// version is the Exit with the version.
func version() error {
	return &Exit{Stderr: fmt.Sprintf("hopquote %s\nbuilt with %s, receives by AF_PACKET/TPACKET_V3\n", Version, runtime.Version())}
}

// entry writes what is on the left and, from column on, its text: on lines of
// their own if the left is too long for at least one blank between.
func entry(b *strings.Builder, left string, column int, text string) {
	b.WriteString(left)
	at := len(left)
	if at >= column {
		b.WriteByte('\n')
		at = 0
	}
	b.WriteString(strings.Repeat(" ", column-at))
	at = column
	for i, w := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(w) > helpWidth:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(w)
		at += len(w)
	}
	b.WriteByte('\n')
}
