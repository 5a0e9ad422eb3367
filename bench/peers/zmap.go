package peers

import "github.com/hopquote/hopquote/bench/contest"

// zmap asks the destinations alone.
func zmap() tool {
	return tool{binary: "zmap", debian: "zmap", Contender: contest.Contender{
		Name: "zmap",
		Command: "zmap -i {interface} -G {gateway} -S {source} -M icmp_echoscan -r {rate} -e {seed} -b /dev/null -c 1 -q" +
			" -o {output} {prefix}",
		PerTarget: 1, Paced: true, Power2: true, Count: contest.Lines,
	}}
}
