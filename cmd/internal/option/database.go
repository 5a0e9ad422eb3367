package option

import (
	"bufio"
	"os"
	"slices"
	"strings"
)

// database finds the numbers of service and protocol names, services(5) and
// protocols(5). Each look-up reads its file again: a command line needs one.
type database struct {
	services, protocols string // files
}

var systemDatabase = database{services: "/etc/services", protocols: "/etc/protocols"}

// service gives the port of the first line with that name or alias, whatever
// its protocol.
func (d database) service(name string) (uint32, bool) { return find(d.services, name) }

// protocol gives the number of an IP protocol by name or alias.
func (d database) protocol(name string) (uint32, bool) { return find(d.protocols, name) }

// find searches lines of "name number[/protocol] alias..." with comments. A
// missing file has no names.
func find(file, name string) (uint32, bool) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) < 2 || words[0] != name && !slices.Contains(words[2:], name) {
			continue
		}
		number, _, _ := strings.Cut(words[1], "/")
		if v, ok := wholeUint(number); ok {
			return v, true
		}
	}
	return 0, false
}

// ProtocolNumber gives the number of an IP protocol by its name in
// protocols(5).
func ProtocolNumber(name string) (uint8, bool) {
	v, ok := systemDatabase.protocol(name)
	return uint8(v), ok && v <= 255
}
