// Package quotes writes what --quotes shows of a trace, in lines that stand
// under those of the hops and behind the last one.
//
// Under a hop, for every responder, after four blanks:
//
//	ADDRESS: N of M bytes, WHAT
//	ADDRESS: extension OBJECT
//
// N bytes came back of a probe of M. WHAT is "as sent", "no change since hop
// K", or the fields that came back otherwise than hop K quoted them, each as
// "NAME SENT -> QUOTED", with commas between; a name like id-swapped tells what
// was done to the field. "ttl N left" is a quoted TTL that should be another,
// "NAME as sent again" a field that hop K quoted changed. Several probes that show the same
// share a line, which has the values of the first.
//
// Behind the last hop:
//
//	path changes: none in the quotes of N hops
//
// or, a line for each after two blanks, where on the path packets are changed.
package quotes
