// Package score holds what a prober found against the truth of a simulated
// Internet: every interface and every hop that it found, missed, or got wrong.
//
// The truth is a sequence of paths, one for each target: Truth takes them from
// a Config, Write and Read keep them as JSON lines, for other programs too.
//
//	{"schema":"hopquote.truth/1"}
//	{"target":"20.0.0.1","end":"reached","distance":3,"hops":[
//	  {"ttl":1,"routers":[{"address":"10.99.0.254"}]},
//	  {"ttl":2,"routers":[{"address":"100.70.1.2"},{"address":"100.66.9.8","silent":true}]},
//	  {"ttl":3,"routers":[{"address":"20.0.0.1"}]}]}
//
// (a line each). A hop has several routers where flows part; end is reached,
// silent (the target does not answer), refused (a router answers that it is
// unreachable, and has the code) or loop, in which the last two hops go on to
// take turns.
package score
