package option

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// only changes the method.
func only(method string) func(*Options) { return func(o *Options) { o.Method = method } }

// raw is method raw with a protocol.
func raw(protocol uint32) func(*Options) {
	return func(o *Options) { o.Method, o.Protocol = "raw", protocol }
}

// via is a source route over gateways.
func via(kind frame.RouteKind, gateways ...string) func(*Options) {
	return func(o *Options) {
		var addrs []netip.Addr
		for _, g := range gateways {
			addrs = append(addrs, netip.MustParseAddr(g))
		}
		if addrs[0].Is6() {
			to(o, "::1", "::1")
		}
		route, err := frame.NewRoute(kind, addrs)
		if err != nil {
			panic(err)
		}
		o.Route, o.Gateway = route, addrs[0]
	}
}

var methodLines = []accepted{
	{"-UL 10.0.0.1", only("udplite")},
	{"-M UDPLITE -O cov=20 10.0.0.1", func(o *Options) { o.Method, o.Coverage = "udplite", 20 }},
	{"-UL -O coverage=70000 10.0.0.1", func(o *Options) { o.Method, o.Coverage = "udplite", 65535 }},
	{"-D 10.0.0.1", only("dccp")},
	{"--dccp -O se=7 10.0.0.1", func(o *Options) { o.Method, o.Service, o.ServiceGiven = "dccp", 7, true }},
	{"-M tcpconn 10.0.0.1", only("tcpconn")},
	{"-M tcpconn -O bogus 10.0.0.1", only("tcpconn")},
	{"-M raw 10.0.0.1", raw(253)},
	{"-P 6x 10.0.0.1", raw(6)},
	{"-P 300 10.0.0.1", raw(300)},
	{"-P 0 10.0.0.1", raw(0)},
	{"--protocol=udp 10.0.0.1", raw(17)},
	{"-P udp -O proto=tcp 10.0.0.1", raw(6)},
	{"-P 17 -p 18 10.0.0.1", func(o *Options) { raw(18)(o); o.Port, o.PortGiven = 18, true }},
	{"-P 17 -p 0 10.0.0.1", raw(17)},
	{"-P 6 -U 10.0.0.1", func(o *Options) { o.Method = "udp" }},
	{"-P 6 -l 5 ::1", func(o *Options) {
		to(o, "::1", "::1")
		raw(6)(o)
		o.FlowLabel, o.FlowLabelGiven, o.Sim = 5, true, 1
	}},
	{"-r 10.0.0.1", func(o *Options) { o.DontRoute = true }},
	{"-d 10.0.0.1", func(o *Options) { o.Debug = true }},
	{"--fwmark=-1 10.0.0.1", func(o *Options) { o.Mark = 0xffffffff }},
	{"-g '' 10.0.0.1", same},
	{"-g 10.0.0.2 10.0.0.1", via(frame.LSRR, "10.0.0.2")},
	{"-g 10.0.0.2,10.0.0.3 --gateway=10.0.0.4 10.0.0.1", via(frame.LSRR, "10.0.0.2", "10.0.0.3", "10.0.0.4")},
	{"-g ::2 ::1", via(frame.Routing2, "::2")},
	{"-g ::2,::3 ::1", via(frame.Routing0, "::2", "::3")},
	{"-g 0,::2 ::1", via(frame.Routing0, "::2")},
	{"-g ,::2 ::1", via(frame.Routing0, "::2")},
	{"-g 2,::2 ::1", via(frame.Routing2, "::2")},
	{"-g 4,::2,::3 ::1", via(frame.Routing4, "::2", "::3")},
}

func TestMethodSizes(t *testing.T) {
	tests := []struct {
		line string
		want int
	}{
		{"-UL 10.0.0.1", 60},
		{"-UL 10.0.0.1 10", 28},
		{"-D 10.0.0.1 500", 40},
		{"-D --mtu ::1", 60},
		{"-P 253 10.0.0.1", 60},
		{"-P 253 10.0.0.1 10", 20},
		{"-P 253 --mtu 10.0.0.1", 65000},
		{"-M tcpconn ::1", 80},
		{"-M tcpconn 10.0.0.1 10", 20},
		{"-g 10.0.0.2 10.0.0.1", 72},
		{"-g 10.0.0.2,10.0.0.3 10.0.0.1", 76},
		{"-g 10.0.0.2 10.0.0.1 500", 500},
		{"-g 10.0.0.2 10.0.0.1 10", 40},
		{"-g 10.0.0.2 -D 10.0.0.1", 52},
		{"-g 10.0.0.2 -P 17 10.0.0.1 10", 32},
		{"-g ::2 ::1", 104},
		{"-g ::2,::3 ::1", 120},
	}
	for _, tt := range tests {
		o, err := parse(words("traceroute", tt.line)...)
		if err != nil {
			t.Fatalf("%s: %v", tt.line, err)
		}
		if got := o.Size(); got != tt.want {
			t.Errorf("%s: got %d bytes, want %d", tt.line, got, tt.want)
		}
	}
}
