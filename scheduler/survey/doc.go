// Package survey has the strategies that find the paths to many targets.
//
// Random sends the probes of all targets and TTLs in an order that a key
// decides, and remembers nothing of them: what a reply says is all there is.
// Full sends the same probes, a block of targets after the other, and tells
// when a target is finished. Adaptive starts where it takes a target to be,
// probes back until a hop that is known already, and on until the target
// answers; it keeps 8 bytes for each target under way, and the hops it knows.
//
// The order is a permutation of all targets, so that probes to one prefix or
// router are spread over the run. All probes of a target and flow share what a
// load balancer hashes.
//
// They need an engine that tells them of probes that expire.
package survey
