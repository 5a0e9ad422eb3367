// Package journal is what a survey writes down between two checkpoints, so that
// one that is killed can go on from where it was: that a probe left, what was
// learned, what was given up.
//
// A checkpoint names the journal that begins with it, and journals that follow
// upon each other have consecutive numbers. Files are next to the checkpoint's,
// as in "run.checkpoint.journal-3":
//
//	line    "hopquote survey journal 2"
//	id      8 bytes, of the run that wrote it
//	number  8 bytes
//	batches
//
// A batch is what one loop did in one round, written at once: it is there as a
// whole after a kill, or was cut and is dropped.
//
//	length  4 bytes, of the events
//	loop    4 bytes
//	CRC     4 bytes of loop and events, CRC-32C
//	events
//
// Numbers are little-endian; those in events are as package pack has them. Files
// are not waited for to be on the disk: if the machine itself goes down, as much
// of them counts as is there.
package journal
