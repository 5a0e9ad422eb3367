// Package option is the command line of hopquote trace: the grammar, the
// messages and the exit codes of Linux traceroute, driven by one table.
//
// [Parse] turns an argument vector into [Options] or into an [Exit], which
// holds what to print and the exit code. It sends nothing: the only I/O is the
// [Resolver] that it is given and the files of service and protocol names.
package option
