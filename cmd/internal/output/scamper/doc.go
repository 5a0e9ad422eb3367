// Package scamper writes surveys in the two formats of scamper: JSON, one
// object per line, and warts. What both have in common is view.
//
// Duplicates and late replies are hops of their own, as scamper keeps all
// replies to a probe. Unanswered probes are not written: the 2021 formats have
// no place for them but the count. Replies to probes that went past the target,
// which scamper sends none of, are left out.
package scamper
