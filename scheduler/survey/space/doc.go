// Package space is a set of addresses to probe as numbers: each index below Len
// has an address and each address its index, in time that grows with the
// logarithm of the number of ranges. Ranges cost nothing for what is in them,
// and nothing has to be skipped where addresses are excluded.
//
// It reads and resolves nothing; a Builder is told the ranges.
package space
