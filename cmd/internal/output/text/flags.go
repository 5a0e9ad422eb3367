package text

// flagNames are the TCP flags from the lowest bit up, in the order in which
// they are printed.
var flagNames = [8]string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"}

// Flags names the TCP flags that are set, lowest bit first.
func Flags(flags uint8) []string {
	var names []string
	for i, name := range flagNames {
		if flags&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
