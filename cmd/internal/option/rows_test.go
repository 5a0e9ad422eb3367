package option

import "strings"

// row is a command line that can't be used, and the text on standard error
// that must come of it, with exit code 2. The words are separated by blanks;
// a word of two single quotes is empty and ~ stands for a blank inside a word.
type row struct {
	line   string
	stderr string
	local  bool // the text doesn't come from the resolver or from us
}

func (r row) argv() []string { return words("traceroute", r.line) }

func words(program, line string) []string {
	argv := []string{program}
	for _, w := range strings.Fields(line) {
		if w == "''" {
			w = ""
		}
		argv = append(argv, strings.ReplaceAll(w, "~", " "))
	}
	return argv
}

// times joins n copies of an item to a list.
func times(n int, item string) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

const hostLine = "Cannot handle \"host\" cmdline arg `"

// refusedRows has all rows of command lines that are refused as Linux
// traceroute refuses them.
func refusedRows() []row {
	var rows []row
	add := func(local bool, lines ...string) {
		for i := 0; i < len(lines); i += 2 {
			rows = append(rows, row{lines[i], lines[i+1] + "\n", local})
		}
	}
	add(true, grammarRows...)
	add(true, valueRows...)
	add(true, positionalRows...)
	add(true, rangeRows...)
	add(true, itemRows...)
	add(true, gatewayRows...)
	add(false, resolverRows...)
	return rows
}

var grammarRows = []string{
	"-n", `Specify "host" missing argument.`,
	"--", `Specify "host" missing argument.`,
	"-n --", `Specify "host" missing argument.`,
	"-Z host", "Bad option `-Z' (argc 1)",
	"-X3 host", "Bad option `-X' (argc 1)",
	"-nZ5 host", "Bad option `-Z' (argc 1)",
	"-h host", "Bad option `-h' (argc 1)",
	"-n5 host", "Bad option `-5' (argc 1)",
	"-\xff host", "Bad option `-\xff' (argc 1)",
	"-=3 host", "Bad option `-=' (argc 1)",
	"-n- host", "Bad option `--' (argc 1)",
	"-U=3 host", "Bad option `-=' (argc 1)",
	"-ULx host", "Bad option `-L' (argc 1)",
	"-nUL host", "Bad option `-L' (argc 1)",
	"-nU -L", "Bad option `-L' (argc 2)",
	"-46nFIm 3 -Z", "Bad option `-Z' (argc 3)",
	"-Z --help", "Bad option `-Z' (argc 1)",
	"10.0.0.1 28 extra -Z", "Bad option `-Z' (argc 4)",
	"--bogus", "Bad option `--bogus' (argc 1)",
	"--bogus=3", "Bad option `--bogus=3' (with arg `3') (argc 1)",
	"--bogus=", "Bad option `--bogus=' (with arg `') (argc 1)",
	"--=3", "Bad option `--=3' (with arg `3') (argc 1)",
	"--icmp=3", "Bad option `--icmp=3' (with arg `3') (argc 1)",
	"--mtu=3", "Bad option `--mtu=3' (with arg `3') (argc 1)",
	"--do=3", "Bad option `--do=3' (with arg `3') (argc 1)",
	"--version=3", "Bad option `--version=3' (with arg `3') (argc 1)",
	"--d", "Bad option `--d' (argc 1)",
	"--as", "Bad option `--as' (argc 1)",
	"--ic", "Bad option `--ic' (argc 1)",
	"--fi=2", "Bad option `--fi=2' (with arg `2') (argc 1)",
	"--dont-fragmentx", "Bad option `--dont-fragmentx' (argc 1)",
	"10.0.0.1 -5", "Bad option `-5' (argc 2)",
	"-m", "Option `-m' (argc 1) requires an argument: `-m max_ttl'",
	"-nm", "Option `-m' (argc 1) requires an argument: `-m max_ttl'",
	"-nq1", "Option `-q' (argc 1) requires an argument: `-q nqueries'",
	"-nqx 10.0.0.1", "Option `-q' (argc 1) requires an argument: `-q nqueries'",
	"-f", "Option `-f' (argc 1) requires an argument: `-f first_ttl'",
	"-g", "Option `-g' (argc 1) requires an argument: `-g gate,...'",
	"-i", "Option `-i' (argc 1) requires an argument: `-i device'",
	"-N", "Option `-N' (argc 1) requires an argument: `-N squeries'",
	"-p", "Option `-p' (argc 1) requires an argument: `-p port'",
	"-t", "Option `-t' (argc 1) requires an argument: `-t tos'",
	"-l", "Option `-l' (argc 1) requires an argument: `-l flow_label'",
	"-w", "Option `-w' (argc 1) requires an argument: `-w MAX,HERE,NEAR'",
	"-s", "Option `-s' (argc 1) requires an argument: `-s src_addr'",
	"-z", "Option `-z' (argc 1) requires an argument: `-z sendwait'",
	"-M", "Option `-M' (argc 1) requires an argument: `-M name'",
	"-n -O", "Option `-O' (argc 2) requires an argument: `-O OPTS,...'",
	"-P", "Option `-P' (argc 1) requires an argument: `-P prot'",
	"--max-hops 2 host", "Option `--max-hops' (argc 1) requires an argument: `--max-hops=max_ttl'",
	"--gateway", "Option `--gateway' (argc 1) requires an argument: `--gateway=gate,...'",
	"--first", "Option `--first' (argc 1) requires an argument: `--first=first_ttl'",
	"--interface", "Option `--interface' (argc 1) requires an argument: `--interface=device'",
	"--sim-queries", "Option `--sim-queries' (argc 1) requires an argument: `--sim-queries=squeries'",
	"--queries", "Option `--queries' (argc 1) requires an argument: `--queries=nqueries'",
	"--port", "Option `--port' (argc 1) requires an argument: `--port=port'",
	"--tos", "Option `--tos' (argc 1) requires an argument: `--tos=tos'",
	"--flowlabel", "Option `--flowlabel' (argc 1) requires an argument: `--flowlabel=flow_label'",
	"--wait", "Option `--wait' (argc 1) requires an argument: `--wait=MAX,HERE,NEAR'",
	"--source", "Option `--source' (argc 1) requires an argument: `--source=src_addr'",
	"--sendwait", "Option `--sendwait' (argc 1) requires an argument: `--sendwait=sendwait'",
	"--module", "Option `--module' (argc 1) requires an argument: `--module=name'",
	"--options", "Option `--options' (argc 1) requires an argument: `--options=OPTS,...'",
	"--protocol", "Option `--protocol' (argc 1) requires an argument: `--protocol=prot'",
	"--sport abc", "Option `--sport' (argc 1) requires an argument: `--sport=num'",
	"--fwmark abc", "Option `--fwmark' (argc 1) requires an argument: `--fwmark=num'",
}

var valueRows = []string{
	"-m abc", "Cannot handle `-m' option with arg `abc' (argc 2)",
	"-mabc", "Cannot handle `-m' option with arg `abc' (argc 1)",
	"-m=3", "Cannot handle `-m' option with arg `=3' (argc 1)",
	"-m ''", "Cannot handle `-m' option with arg `' (argc 2)",
	"-m --", "Cannot handle `-m' option with arg `--' (argc 2)",
	"-m 5~", "Cannot handle `-m' option with arg `5 ' (argc 2)",
	"-m 08", "Cannot handle `-m' option with arg `08' (argc 2)",
	"-m 0x", "Cannot handle `-m' option with arg `0x' (argc 2)",
	"-m 0b11", "Cannot handle `-m' option with arg `0b11' (argc 2)",
	"-m -~3", "Cannot handle `-m' option with arg `- 3' (argc 2)",
	"-nm abc", "Cannot handle `-m' option with arg `abc' (argc 2)",
	"-m abc -V", "Cannot handle `-m' option with arg `abc' (argc 2)",
	"-f abc", "Cannot handle `-f' option with arg `abc' (argc 2)",
	"-N abc", "Cannot handle `-N' option with arg `abc' (argc 2)",
	"-q abc", "Cannot handle `-q' option with arg `abc' (argc 2)",
	"-q1n", "Cannot handle `-q' option with arg `1n' (argc 1)",
	"-t abc", "Cannot handle `-t' option with arg `abc' (argc 2)",
	"-l abc", "Cannot handle `-l' option with arg `abc' (argc 2)",
	"-z abc", "Cannot handle `-z' option with arg `abc' (argc 2)",
	"-z ''", "Cannot handle `-z' option with arg `' (argc 2)",
	"-z 1~", "Cannot handle `-z' option with arg `1 ' (argc 2)",
	"-z -1_0", "Cannot handle `-z' option with arg `-1_0' (argc 2)",
	"-w abc", "Cannot handle `-w' option with arg `abc' (argc 2)",
	"-w 1,2,3,4", "Cannot handle `-w' option with arg `1,2,3,4' (argc 2)",
	"-w 1,2,", "Cannot handle `-w' option with arg `1,2,' (argc 2)",
	"-w 1,,2", "Cannot handle `-w' option with arg `1,,2' (argc 2)",
	"-w 1,2,3~", "Cannot handle `-w' option with arg `1,2,3 ' (argc 2)",
	"-w ''", "Cannot handle `-w' option with arg `' (argc 2)",
	"-w -.", "Cannot handle `-w' option with arg `-.' (argc 2)",
	"-w -1e,2", "Cannot handle `-w' option with arg `-1e,2' (argc 2)",
	"-w 0x,2", "Cannot handle `-w' option with arg `0x,2' (argc 2)",
	"-w nan(1-2)", "Cannot handle `-w' option with arg `nan(1-2)' (argc 2)",
	"-w infi,-1", "Cannot handle `-w' option with arg `infi,-1' (argc 2)",
	"-p abc", "Cannot handle `-p' option with arg `abc' (argc 2)",
	"-p ''", "Cannot handle `-p' option with arg `' (argc 2)",
	"-p -", "Cannot handle `-p' option with arg `-' (argc 2)",
	"-p HTTP", "Cannot handle `-p' option with arg `HTTP' (argc 2)",
	"-p http/tcp", "Cannot handle `-p' option with arg `http/tcp' (argc 2)",
	"-p ~http", "Cannot handle `-p' option with arg ` http' (argc 2)",
	"--max-hops=abc", "Cannot handle `--max-hops' option with arg `abc' (argc 1)",
	"--max-hops=", "Cannot handle `--max-hops' option with arg `' (argc 1)",
	"--sport=abc", "Cannot handle `--sport' option with arg `abc' (argc 1)",
	"--sport=", "Cannot handle `--sport' option with arg `' (argc 1)",
	"--fwmark=abc", "Cannot handle `--fwmark' option with arg `abc' (argc 1)",
	"--fwmark=80x", "Cannot handle `--fwmark' option with arg `80x' (argc 1)",
	"-4 -s ::1 10.0.0.1", "::1: Address family for hostname not supported\nCannot handle `-s' option with arg `::1' (argc 3)",
	"-6 -s 10.0.0.1 ::1", "10.0.0.1: Address family for hostname not supported\nCannot handle `-s' option with arg `10.0.0.1' (argc 3)",
	"-6 -s ::ffff:10.0.0.1 ::1", "Cannot handle `-s' option with arg `::ffff:10.0.0.1' (argc 3)",
}

var positionalRows = []string{
	"10.0.0.1 abc", "Cannot handle \"packetlen\" cmdline arg `abc' on position 2 (argc 2)",
	"10.0.0.1 ''", "Cannot handle \"packetlen\" cmdline arg `' on position 2 (argc 2)",
	"10.0.0.1 -", "Cannot handle \"packetlen\" cmdline arg `-' on position 2 (argc 2)",
	"10.0.0.1 50~", "Cannot handle \"packetlen\" cmdline arg `50 ' on position 2 (argc 2)",
	"-- 10.0.0.1 --", "Cannot handle \"packetlen\" cmdline arg `--' on position 2 (argc 3)",
	"-4 10.0.0.1 -n abc", "Cannot handle \"packetlen\" cmdline arg `abc' on position 2 (argc 4)",
	"10.0.0.1 28 extra", "Extra arg `extra' (position 3, argc 3)",
	"10.0.0.1 abc extra more", "Extra arg `extra' (position 3, argc 3)",
	"10.0.0.1 -- 50 -n", "Extra arg `-n' (position 3, argc 4)",
	"10.0.0.1 -n 50 -q1 -- extra", "Extra arg `extra' (position 3, argc 6)",
	"-n -- 10.0.0.1 50 -- extra", "Extra arg `--' (position 3, argc 5)",
	"-4 fe80::1", "fe80::1: Address family for hostname not supported\n" + hostLine + "fe80::1' on position 1 (argc 2)",
	"-4 fe80::1%lo", "fe80::1%lo: Address family for hostname not supported\n" + hostLine + "fe80::1%lo' on position 1 (argc 2)",
	"-6 10.0.0.1", "10.0.0.1: Address family for hostname not supported\n" + hostLine + "10.0.0.1' on position 1 (argc 2)",
	"-4n6 10.0.0.1", "10.0.0.1: Address family for hostname not supported\n" + hostLine + "10.0.0.1' on position 1 (argc 2)",
	"-6 0x0a000001", "0x0a000001: Address family for hostname not supported\n" + hostLine + "0x0a000001' on position 1 (argc 2)",
	"-6 1.2", "1.2: Address family for hostname not supported\n" + hostLine + "1.2' on position 1 (argc 2)",
	"-n -- -n", "-n: Name or service not known\n" + hostLine + "-n' on position 1 (argc 3)",
	"---n", "---n: Name or service not known\n" + hostLine + "---n' on position 1 (argc 1)",
	"-", "-: Name or service not known\n" + hostLine + "-' on position 1 (argc 1)",
	"''", ": Name or service not known\n" + hostLine + "' on position 1 (argc 1)",
	"-s a,b -Z", "a,b: Name or service not known\nCannot handle `-s' option with arg `a,b' (argc 2)",
	"-4 10.0.0.1%lo", "10.0.0.1%lo: Name or service not known\n" + hostLine + "10.0.0.1%lo' on position 1 (argc 2)",
	"::1%lo", "::1%lo: Name or service not known\n" + hostLine + "::1%lo' on position 1 (argc 1)",
	"-g , 10.0.0.1", ": Name or service not known\n",
	"-4 10.0.0.256", "10.0.0.256: Name or service not known\n" + hostLine + "10.0.0.256' on position 1 (argc 2)",
	"-6 ::ffff:10.0.0.1", hostLine + "::ffff:10.0.0.1' on position 1 (argc 2)",
}

var rangeRows = []string{
	"-f 0 10.0.0.1", "first hop out of range",
	"-f 31 10.0.0.1", "first hop out of range",
	"-f -1 10.0.0.1", "first hop out of range",
	"-m 0 10.0.0.1", "first hop out of range",
	"-m -1 -f 0 10.0.0.1", "first hop out of range",
	"-m 256 10.0.0.1", "max hops cannot be more than 255",
	"-m -1 10.0.0.1", "max hops cannot be more than 255",
	"-f 31 -m 256 10.0.0.1", "max hops cannot be more than 255",
	"-m 18446744073709551617 10.0.0.1", "max hops cannot be more than 255",
	"-m -18446744073709551617 10.0.0.1", "max hops cannot be more than 255",
	"-q 0 10.0.0.1", "no more than 10 probes per hop",
	"-q 11 10.0.0.1", "no more than 10 probes per hop",
	"-q -1 10.0.0.1", "no more than 10 probes per hop",
	"-w -1 -q 11 10.0.0.1", "no more than 10 probes per hop",
	"-w -1 10.0.0.1", "bad wait specifications `-1,0,0' used",
	"-w 1,-2,-3 10.0.0.1", "bad wait specifications `1,-2,-3' used",
	"-w 1--2 10.0.0.1", "bad wait specifications `1,-2,0' used",
	"-w -inf 10.0.0.1", "bad wait specifications `-inf,0,0' used",
	"-w nan(abc),-1 10.0.0.1", "bad wait specifications `nan,-1,0' used",
	"-w -nan,-1 10.0.0.1", "bad wait specifications `-nan,-1,0' used",
	"-w -0x1p4,0x.8p1,1e400 10.0.0.1", "bad wait specifications `-16,1,inf' used",
	"-w -1.5e300,1e-7,123456789 10.0.0.1", "bad wait specifications `-1.5e+300,1e-07,1.23457e+08' used",
	"-w -1234567,100000,1000000 10.0.0.1", "bad wait specifications `-1.23457e+06,100000,1e+06' used",
	"-w -0.0001,0.00001,1.10 10.0.0.1", "bad wait specifications `-0.0001,1e-05,1.1' used",
	"-w -999999.5,99999.95,100000.5 10.0.0.1", "bad wait specifications `-1e+06,99999.9,100000' used",
	"--wait=-5/3.14159265/-1e10 10.0.0.1", "bad wait specifications `-5,3.14159,-1e+10' used",
	"-w -1 10.0.0.1 65001", "bad wait specifications `-1,0,0' used",
	"10.0.0.1 65001", "too big packetlen 65001 specified",
	"10.0.0.1 2147483647", "too big packetlen 2147483647 specified",
	"-s ::1 10.0.0.1 65001", "too big packetlen 65001 specified",
	"-s ::1 10.0.0.1", "IP version mismatch in addresses specified",
	"::1 -s ::ffff:10.0.0.1", "IP version mismatch in addresses specified",
	"-s ::1 -4 10.0.0.1 -z -1", "IP version mismatch in addresses specified",
	"-z -1 10.0.0.1", "bad sendtime `-1' specified",
	"-z -1e-320 10.0.0.1", "bad sendtime `-9.99989e-321' specified",
	"-z -123456789 10.0.0.1 -g nosuch", "bad sendtime `-1.23457e+08' specified",
	"-M nope 10.0.0.1", "Unknown traceroute module nope",
	"-M nope -f 0 10.0.0.1", "Unknown traceroute module nope",
	"-M '' 10.0.0.1", "Unknown traceroute module ",
	"-M TCP -f 0 10.0.0.1", "first hop out of range",
}
