// Package text writes a trace as Linux traceroute 2.1.2 prints it, byte for
// byte, so that scripts that read the classic output go on working.
//
// Two deliberate extensions. ICMP codes that the Linux kernel never shows to
// that program (destination unreachable above 15, fragment reassembly time
// exceeded) are printed by its own rule for codes without a letter, as !<42>
// and !<11-1>. And where path-MTU discovery found a size by trying, because
// nobody told it, the note is F~1400 in the place of F=1400.
package text
