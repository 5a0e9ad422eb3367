// Package attribute finds, in a stream of captured packets, which packet
// caused which ICMP error or direct answer, and how sure that is.
//
// It needs no knowledge of the program that sent the probes. Every packet that
// a router could quote is remembered for a while; each reply is compared with
// all of them that share something with its quote, and goes to the one that
// the strongest rule of evidence leaves alone. Rules is that table.
//
// A Tracker takes the packets in the order of time, keeps a bounded window of
// them, and so works through captures of any size in constant memory. It opens
// no file and reads no clock. It is for one goroutine.
package attribute
