// Package measure runs cases that are to be compared in interleaved rounds
// (A B C A B C …), so that all see the same machine, and gathers what they
// came to.
package measure
