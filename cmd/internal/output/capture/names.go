package capture

import (
	"fmt"
	"net"
)

// Names gives interfaces their names, for frames that came by others than the
// probes left by. The zero value is ready; it is for one goroutine.
type Names map[int]string

// Of is the name of the interface of an index, empty for index 0. One that is
// gone is called by its index.
func (n *Names) Of(index int) string {
	if index == 0 {
		return ""
	}
	name, ok := (*n)[index]
	if !ok {
		if *n == nil {
			*n = Names{}
		}
		name = fmt.Sprintf("interface %d", index)
		if ifi, err := net.InterfaceByIndex(index); err == nil {
			name = ifi.Name
		}
		(*n)[index] = name
	}
	return name
}
