// Package scheduler runs one Strategy between a Sender and a Receiver: the
// engine loop with its window and pacing. A Book gives the probes their
// identities and knows them again by their replies. Shards are engines side by
// side, which hand each other the replies that came to the wrong one.
//
// Time is a time.Duration since the run's epoch, from an injected Clock; the
// receive times of the Receiver are in the same clock.
package scheduler
