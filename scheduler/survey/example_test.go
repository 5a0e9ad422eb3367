package survey_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/survey"
	"github.com/hopquote/hopquote/scheduler/survey/space"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// A survey of 16 addresses through a network in memory, whose first router and
// targets answer. A link.Sender and an rx.Ring take its place on a real one.
func Example() {
	router := netip.MustParseAddr("192.0.2.254")
	path := virtual.Script{TTL: map[int][]virtual.Step{1: {{Kind: frame.KindTimeExceeded, From: router}}}, Rest: []virtual.Step{{Kind: frame.KindUnreachable, Code: 3}}}
	net := &virtual.Net{Respond: path.Respond}

	var b space.Builder
	_ = b.Add(space.Ends(netip.MustParsePrefix("198.51.100.0/28")))
	targets, _ := b.Build(space.Sampling{})
	probe := frame.Probe{Method: frame.UDP, Src: netip.MustParseAddr("192.0.2.1"), Dst: targets.At(0), SrcPort: 40000, DstPort: 33434}
	probe.MakeKeyed()

	from := map[netip.Addr]int{}
	strategy, _ := survey.NewRandom(survey.Config{
		Targets: targets, Probe4: probe, First: 1, Max: 2, Key: 1,
		Reply: func(r *survey.Reply) { from[r.Match.Reply.From]++ },
	})
	book, _ := rx.NewLedger(rx.LedgerConfig{Key: [8]byte{1}, Timeout: time.Second, Slots: 1024})
	engine := scheduler.New(scheduler.Config{Strategy: strategy, Clock: net, Sender: net, Receiver: net, Book: book, Window: 1024, Rate: 1000})
	err := engine.Run(context.Background())
	fmt.Println(err, engine.Counts().Sent, from[router], len(from))
	// Output: <nil> 32 16 17
}
