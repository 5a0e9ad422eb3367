// Package frame is the codec: it turns a Probe into the bytes of a frame and
// the bytes of a received frame into a Reply with the quote it carries.
//
// Nothing here opens a socket, reads a clock or draws a random number. The
// per-packet paths (Template.Put, Decode) allocate nothing; gopacket builds
// each Template once and serves the tests as oracle.
package frame
