package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// cases are the behaviours that the suite holds both dialects to, by their
// numbers, each with what shows it:
//
//	Test/part           a test of this package, and text in its table or subtest's name
//	folder Test/part    the same of another package, its folder under the top
//	NAME.sim            a script of testdata/scripts, run by TestScripts here
//	                    with ours and in bench/simnet with the installed one
//	difference NAME     a row of the list of differences, asserted for both
//
// 1 to 104 are Linux traceroute's, run with both programs; tests of packages
// below add what no running program can show, like times without a clock. 105
// to 116 are the BSD dialect's, which has no installed program beside it.
var cases = [...]string{
	1: "TestConformanceBasic/1 udp",
	2: "TestConformanceBasic/2 names",
	3: "03-names.sim",
	4: "TestConformanceBasic/4 icmp",
	5: "TestConformanceBasic/5 tcp",
	6: "TestConformanceOpenPort/6 ",
	7: "TestConformanceTCP/7 closed port",
	8: "TestConformanceBasic/8 port 53 twice",

	9:  "TestConformanceMethods/9 udplite, coverage",
	10: "TestConformanceMethods/10 raw; difference 10 raw probes together",
	11: "TestConformanceMethods/11 raw by port",
	12: "12-raw-protocol.sim",
	13: "TestConformanceConnection/13 ",
	14: "TestConformanceMethods/14 raw icmp",
	15: "15-udp-answer.sim",
	16: "TestConformanceLoopback/16 any address; TestConformanceMethodsLoopback/16 raw",

	17: "TestConformanceFields/17 one byte",
	18: "TestConformanceFields/18 icmp, one more",
	19: "TestConformanceFields/19 fragments",
	20: "TestConformanceTCP/20 length ignored",
	21: "TestConformanceFields/21 DF, tcp",
	22: "TestConformanceFields/22 tos of nine bits",
	23: "TestConformanceFields/23 last port",
	24: "TestConformanceFields/24 first sequence",
	25: "TestConformanceTCP/25 source port",
	26: "TestConformanceFields/26 source port",
	27: "TestConformanceTCP/27 options ; TestConformanceTCPSettings/27 ",
	28: "TestConformanceGateways/28 one gateway, dropped; difference 28 gateways and a router's answer",
	29: "TestConformanceGateways/29 two gateways, dropped; difference 29 source route that passes",
	30: "TestConformanceUsage/192.168.120.20 65001",

	31: "31-36-responders.sim", 32: "31-36-responders.sim", 33: "31-36-responders.sim",
	34: "31-36-responders.sim", 35: "31-36-responders.sim", 36: "31-36-responders.sim",
	37: "37-three-digits.sim; TestConformancePrinting/37 three digits",
	38: "38-never-reached.sim; TestConformancePrinting/38 not reached",
	39: "TestConformancePrinting/39 ten probes",
	40: "40-mixed-notes.sim",
	41: "41-unreachable-once.sim",

	42: "42-network.sim",
	43: "43-host.sim",
	44: "44-other-codes.sim",
	45: "45-unknown-code.sim; difference 45 code 16; TestConformanceEngine/45 a silent path",
	46: "46-reassembly.sim; 46-parameter.sim; difference 46 reassembly time exceeded",
	47: "47-redirect.sim",
	48: "48-foreign-port-unreachable.sim",
	49: "49-too-big.sim; 49-too-big-unknown.sim; difference 49 fragmentation needed without -F",
	50: "50-short-quotes.sim; difference 50 short quote",
	51: "51-foreign-echo.sim",
	52: "52-reply-ttl.sim",
	53: "53-tcp-filtered.sim",
	54: "54-tcp-flags.sim",
	55: "TestConformanceDeadNeighbour/55 udp; difference 55 dead neighbour, bound to a device",

	56: "TestConformanceEngine/56 a window of 4; scheduler/hops TestTiming/56: ",
	57: "TestConformanceEngine/57 a first burst of 16; scheduler/hops TestTiming/57: ",
	58: "TestConformanceEngine/58 a silent hop fills the window; scheduler/hops TestTiming/58: ",
	59: "TestConformanceEngine/59 nothing to shorten the wait; scheduler/hops TestTiming/59: ",
	60: "TestConformanceEngine/60 the hop itself shortens the wait; scheduler/hops TestTiming/60: ",
	61: "61-near.sim; scheduler/hops TestTiming/61: ",
	62: "62-near-single.sim; scheduler/hops TestTiming/62: ",
	63: "63-late.sim; scheduler/hops TestTiming/63: ",
	64: "TestConformanceEngine/64 seconds between probes; scheduler/hops TestTiming/64: ",
	65: "65-no-wait.sim; scheduler/hops TestTiming/65: ",
	66: "66-pulled-known.sim; scheduler/hops TestTiming/66: ",
	67: "67-pulled-near.sim; scheduler/hops TestTiming/67: ",
	68: "68-not-pulled.sim; scheduler/hops TestTiming/68: ",
	69: "69-arrival-stays.sim; scheduler/hops TestTiming/69: ",
	70: "70-unreachable-then-silent.sim; scheduler/hops TestTiming/70: ",
	71: "71-third-answered.sim; 71-first-answered.sim; scheduler/hops TestTiming/71: ",
	72: "72-smallest-final.sim; scheduler/hops TestTiming/72: ",
	73: "73-one-at-a-time.sim; scheduler/hops TestTiming/73: ",

	74: "74-mtu.sim; TestConformanceMTUProbes/74 udp; bench/simnet TestProbesOnTheWire",
	75: "74-mtu.sim; TestConformanceMTUProbes/75 one query; bench/simnet TestProbesOnTheWire",
	76: "76-mtu-then-silent.sim",
	77: "77-mtu-twice.sim",
	78: "78-mtu-same.sim; 78-mtu-unknown.sim",
	79: "74-mtu.sim; TestConformanceMTUProbes/79 tcp",
	80: "TestConformanceTooBig/80 udp; difference 80 second echo request too big",
	81: "74-mtu.sim; TestConformancePathMTU/81 ",
	82: "82-back-63.sim; 82-back-64.sim; 82-back-200.sim",
	83: "83-back-changes.sim",
	84: "84-back-tcp.sim",
	85: "85-mpls.sim",
	86: "86-objects.sim",
	87: "87-bad-extensions.sim; 87-long-quote.sim",
	88: "88-labels-differ.sim",
	89: "TestOrigins/89 origins; TestOrigins/89 connection refused",

	90: "TestConformanceIPv6/90 udp",
	91: "TestConformanceIPv6/91 tcp",
	92: "TestConformanceIPv6/92 label and class",
	93: "TestConformanceIPv6/93 fragments",
	94: "94-ipv6-codes.sim",
	95: "95-ipv6-mtu.sim",
	96: "difference 96 IPv6 routing header",
	97: "TestConformanceIPv6Names/97 mapped address",

	98:  "TestConformanceUsage/98 ",
	99:  "TestConformanceRefused/99 ; difference dccp without the kernel's; difference 99 datagram socket refused",
	100: "difference 100 no arguments; difference 100 help; difference 100 version",
	101: "TestConformanceBasic/101 POSIXLY_CORRECT",
	102: "difference 102 unprivileged; difference 102 unprivileged, udp",
	103: "TestConformanceBasic/103 hexadecimal; TestConformanceWaits/103 ",
	104: "difference 104 sequence 0; TestConformanceRouteMTU/104 MTU; TestConformanceNames/104 ",

	105: "cmd/internal/bsd TestChangedResponder",
	106: "TestBSDPackets/udp; cmd/internal/bsd TestUDPPackets",
	107: "TestBSDPackets/no checksum; cmd/internal/bsd TestNoChecksum",
	108: "TestBSDPackets/generic; cmd/internal/bsd TestVerbose; cmd/internal/bsd TestVerboseStrays",
	109: "cmd/internal/bsd TestVeryVerbose",
	110: "cmd/internal/bsd TestSummary",
	111: "TestBSDPackets/icmp; cmd/internal/bsd TestEchoReplyWithLowTTL",
	112: "TestBSDPackets/tcp; cmd/internal/bsd TestLayouts",
	113: "cmd/internal/bsd TestRefusals",
	114: "cmd/internal/bsd TestStopRule",
	115: "cmd/internal/bsd TestSourceRoute",
	116: "cmd/internal/bsd/option TestMessages; cmd/internal/bsd/option TestUsage; TestBSDCommandLine",
}

const lastCase = 116

// TestCases holds the list against the tests that there are.
func TestCases(t *testing.T) {
	if len(cases) != lastCase+1 {
		t.Errorf("the last case is %d, want %d", len(cases)-1, lastCase)
	}
	parsed := make(map[string]map[string][]string)
	for number, shown := range cases[1:] {
		number++
		if shown == "" {
			t.Errorf("case %d: nothing shows it", number)
			continue
		}
		for what := range strings.SplitSeq(shown, ";") {
			what = strings.TrimPrefix(what, " ")
			if fault := missing(t, parsed, what); fault != "" {
				t.Errorf("case %d: %s: %s", number, what, fault)
			}
		}
	}
	// What is not there must be found missing.
	for _, what := range []string{"nosuch.sim", "difference nosuch", "TestNoSuch", "TestRules/nosuchpart", "cmd/internal/bsd TestCases"} {
		if missing(t, parsed, what) == "" {
			t.Errorf("%s is found, which there is not", what)
		}
	}
}

// missing tells what is not there, "" if all is.
func missing(t *testing.T, parsed map[string]map[string][]string, what string) string {
	t.Helper()
	if strings.HasSuffix(what, ".sim") {
		if _, err := os.Stat(filepath.Join(filepath.Dir(scripts), what)); err != nil {
			return err.Error()
		}
		return ""
	}
	if name, ok := strings.CutPrefix(what, "difference "); ok {
		for _, d := range differences {
			if d.name == name {
				return ""
			}
		}
		return "no such difference"
	}
	folder := "cmd/hopquote"
	if first, rest, ok := strings.Cut(what, " Test"); ok && !strings.HasPrefix(what, "Test") {
		folder, what = first, "Test"+rest
	}
	name, part, _ := strings.Cut(what, "/")
	if parsed[folder] == nil {
		parsed[folder] = testTexts(t, folder)
	}
	texts, ok := parsed[folder][name]
	if !ok {
		return "no such test in " + folder
	}
	for _, text := range texts {
		if strings.Contains(text, part) {
			return ""
		}
	}
	return "the test has no such part"
}

// testTexts gives the texts in the body of every test of a package.
func testTexts(t *testing.T, folder string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string][]string)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			test, ok := decl.(*ast.FuncDecl)
			if !ok || test.Recv != nil || !strings.HasPrefix(test.Name.Name, "Test") {
				continue
			}
			texts := []string{""}
			ast.Inspect(test.Body, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						texts = append(texts, text)
					}
				}
				return true
			})
			tests[test.Name.Name] = texts
		}
	}
	return tests
}
