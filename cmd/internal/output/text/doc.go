// Package text writes a trace as Linux traceroute 2.1.2 prints it, byte for
// byte, so that scripts that read the classic output go on working.
//
// One deliberate extension: ICMP codes that the Linux kernel never shows to
// that program (destination unreachable above 15, fragment reassembly time
// exceeded) are printed by its own rule for codes without a letter, as !<42>
// and !<11-1>.
package text
