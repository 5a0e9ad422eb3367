package option

// Spec is one option of the command line. The same table feeds the parser and
// the help text.
type Spec struct {
	Short  string // with its dash, "-m" or "-UL"; empty if there is none
	Long   string // without its dashes; empty if there is none
	Abbrev bool   // Long may be cut to two letters or more
	Value  string // name of the value; empty for a flag
	Help   string

	// set takes the value, empty for a flag. A *refusal says that the value is
	// no good; any other error ends the parsing.
	set func(p *parser, value string) error
}

// Table gives all options in the order of the help text.
func Table() []Spec {
	return []Spec{
		{Short: "-4", Help: "Trace over IPv4",
			set: func(p *parser, _ string) error { p.family = 4; return nil }},
		{Short: "-6", Help: "Trace over IPv6",
			set: func(p *parser, _ string) error { p.family = 6; return nil }},
		{Short: "-d", Long: "debug", Help: "Accepted for those who may turn socket debugging on; no probe leaves by a socket that has any",
			set: func(p *parser, _ string) error { p.opts.Debug = true; return nil }},
		{Short: "-F", Long: "dont-fragment", Abbrev: true,
			Help: "Send probes whole: set the don't-fragment bit (IPv4) and never fragment here",
			set:  func(p *parser, _ string) error { p.opts.DontFragment = true; return nil }},
		{Short: "-f", Long: "first", Value: "first_ttl", Help: "First TTL to probe, 1 unless given",
			set: unsigned(func(p *parser) *uint32 { return &p.first })},
		{Short: "-g", Long: "gateway", Value: "gate,...",
			Help: "Gateways to route the probes through: by a loose source route (IPv4, up to 8) or a routing " +
				"header (IPv6, up to 127), of type 2 for one gateway and 0 for more; a type of 0, 2 or 4 may " +
				"stand before them. Most routers drop such probes",
			set: (*parser).addGateways},
		{Short: "-I", Long: "icmp", Help: "Probe with ICMP echo requests",
			set: choose("icmp")},
		{Short: "-T", Long: "tcp", Help: "Probe with TCP SYN segments, to port 80 unless -p is given",
			set: choose("tcp")},
		{Short: "-i", Long: "interface", Value: "device", Help: "Network interface to send from",
			set: func(p *parser, v string) error { p.opts.Interface = v; return nil }},
		{Short: "-m", Long: "max-hops", Value: "max_ttl", Help: "Last TTL to probe, 1 to 255, 30 unless given",
			set: unsigned(func(p *parser) *uint32 { return &p.max })},
		{Short: "-N", Long: "sim-queries", Value: "squeries",
			Help: "How many probes may be unanswered at a time, 16 unless given",
			set:  unsigned(func(p *parser) *uint32 { return &p.sim })},
		{Short: "-n", Help: "Print addresses only, look no names up",
			set: func(p *parser, _ string) error { p.opts.Numeric = true; return nil }},
		{Short: "-p", Long: "port", Value: "port",
			Help: "Destination port, number or service name. Without a method it is the first of the " +
				"UDP ports, which grow by one with every probe (33434); with -I it is the first sequence " +
				"number (1); with -U, -UL, -T and -D it stays the same (53, 53, 80, 33434); with -P it is " +
				"the protocol (253)",
			set: (*parser).setPort},
		{Short: "-t", Long: "tos", Value: "tos", Help: "IPv4 type of service or IPv6 traffic class, ECN bits included",
			set: unsigned(func(p *parser) *uint32 { return &p.tos })},
		{Short: "-l", Long: "flowlabel", Value: "flow_label", Help: "IPv6 flow label of all probes, 20 bits",
			set: unsigned(func(p *parser) *uint32 { return &p.label })},
		{Short: "-v", Help: "Show each reply's length and destination, and other ICMP messages; -v -v shows the probes too",
			set: func(p *parser, _ string) error { p.opts.Verbose++; return nil }},
		{Short: "-w", Long: "wait", Value: "MAX,HERE,NEAR",
			Help: "How long to wait for an answer: MAX seconds (5.0), but no longer than HERE (3) times the " +
				"answer of the same hop took, or else NEAR (10) times that of a later hop. Fractions " +
				"are allowed; with MAX alone the other two are off",
			set: (*parser).setWait},
		{Short: "-q", Long: "queries", Value: "nqueries", Help: "Probes per hop, 1 to 10, 3 unless given",
			set: unsigned(func(p *parser) *uint32 { return &p.queries })},
		{Short: "-r", Help: "Send to an attached network only, past the routing table (IPv4)",
			set: func(p *parser, _ string) error { p.opts.DontRoute = true; return nil }},
		{Short: "-s", Long: "source", Value: "src_addr", Help: "Source address of the probes",
			set: (*parser).setSource},
		{Short: "-x", Help: "Send UDP and TCP checksums as zero; given twice it does nothing",
			set: func(p *parser, _ string) error { p.opts.NoChecksum = !p.opts.NoChecksum; return nil }},
		{Short: "-z", Long: "sendwait", Value: "sendwait",
			Help: "Least time between two probes: seconds below 10, milliseconds from 10 up, 0 unless given. " +
				"Fractions are allowed",
			set: (*parser).setSendWait},
		{Short: "-e", Long: "extensions", Abbrev: true, Help: "Print ICMP extensions, MPLS labels among them",
			set: func(p *parser, _ string) error { p.opts.Extensions = true; return nil }},
		{Short: "-A", Long: "as-path-lookups",
			Help: "Print the origin AS of every address, as the whois server tells it that RA_SERVER and " +
				"RA_SERVICE name (whois.radb.net, nicname)",
			set: func(p *parser, _ string) error { p.asPath = true; return nil }},
		{Short: "-M", Long: "module", Value: "name", Help: "Method by name: default, udp, udplite, icmp, tcp, dccp, raw, or tcpconn: TCP " +
			"connections that the kernel makes, to port 80 unless -p is given",
			set: func(p *parser, v string) error { p.method = v; return nil }},
		{Short: "-O", Long: "options", Value: "OPTS,...",
			Help: "Options of the method chosen so far, separated by commas; -O help lists them",
			set:  (*parser).addItems},
		{Long: "sport", Value: "num", Help: "Source port of all probes, which are then sent one at a time (-N 1)",
			set: (*parser).setSourcePort},
		{Long: "fwmark", Value: "num", Help: "Firewall mark of the probes, which policy routing may go by; needs CAP_NET_ADMIN",
			set: unsigned(func(p *parser) *uint32 { return &p.mark })},
		{Short: "-U", Long: "udp", Help: "Probe with UDP to one port, 53 unless -p is given",
			set: choose("udp")},
		{Short: "-UL", Help: "Probe with UDP-Lite, to port 53 unless -p is given",
			set: choose("udplite")},
		{Short: "-D", Long: "dccp", Help: "Probe with DCCP requests, to port 33434 unless -p is given",
			set: choose("dccp")},
		{Short: "-P", Long: "protocol", Value: "prot", Help: "Probe with bare packets of that IP protocol",
			set: (*parser).setProtocol},
		{Long: "mtu", Help: "Find the path's MTU while tracing, as routers tell it (-F -N 1): probes begin " +
			"with packetlen, 65000 unless given, and F= marks the one with which they became smaller",
			set: func(p *parser, _ string) error { p.opts.PathMTU = MTUTold; return nil }},
		{Long: "mtu=probe", Help: "The same, and where no router tells it search by probing (-F): " +
			"F~ marks a size that was found so",
			set: func(p *parser, _ string) error { p.opts.PathMTU = MTUProbe; return nil }},
		{Long: "back", Help: "Print the guessed length of the way back where it differs",
			set: func(p *parser, _ string) error { p.opts.Back = true; return nil }},
		{Long: "quotes", Help: "Show how much of its probe each answer brought back, what had changed in it since the " +
			"hop before, and where on the path packets are changed: by NAT, a cleared TOS, a clamped MSS and the like",
			set: func(p *parser, _ string) error { p.opts.Quotes = true; return nil }},
		{Long: "as-source", Value: "whois|cymru|mmdb:FILE",
			Help: "Where to look for the origin AS (-A): a whois server, Team Cymru's DNS zones, or an MMDB file",
			set:  (*parser).setASSource},
		{Long: "format", Value: "text|json", Help: "Output format, text unless given",
			set: (*parser).setFormat},
		{Long: "pcap", Value: "FILE", Help: "Also write all probes and replies to a capture file",
			set: (*parser).setPCAP},
		{Short: "-V", Long: "version", Help: "Print the version and exit",
			set: func(*parser, string) error { return version() }},
		{Long: "help", Help: "Print this help and exit",
			set: func(p *parser, _ string) error { return help(p.opts.Program, p.table) }},
	}
}

// choose selects a method.
func choose(method string) func(*parser, string) error {
	return func(p *parser, _ string) error { p.method = method; return nil }
}

// unsigned takes a whole C unsigned int.
func unsigned(field func(*parser) *uint32) func(*parser, string) error {
	return func(p *parser, value string) error {
		v, ok := wholeUint(value)
		if !ok {
			return &refusal{}
		}
		*field(p) = v
		return nil
	}
}
