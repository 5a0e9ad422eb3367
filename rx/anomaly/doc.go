// Package anomaly names what can be odd about the reply to a probe: which
// fields a router, a translator or an attacker changed in the packet that it
// quotes, and what else tells one reply from another.
//
// It compares bytes with bytes, the probe as sent with the quote as received,
// and knows nothing of match tables, clocks or sockets. Malone and Luckie,
// "Analysis of ICMP Quotations" (PAM 2007), is where the question comes from.
package anomaly
