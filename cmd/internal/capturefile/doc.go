// Package capturefile reads pcap and pcapng captures, plain or compressed,
// packet by packet in constant memory, and takes the link header off.
//
// gopacket's pcapgo reads them too, and writes those of the tests, but is not
// made for files that nobody vouches for: it panics on short options and on
// odd timestamp resolutions, believes any packet length and allocates it, and
// can't say where a damaged file ends to make sense.
package capturefile
