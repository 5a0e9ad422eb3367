package scheduler_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// strays keeps what belongs to no probe.
type strays struct {
	reasons []rx.Reason
}

func (s *strays) FrameSent(time.Duration, []byte)      {}
func (s *strays) FrameMatched(*rx.Packet, *rx.Match)   {}
func (s *strays) FrameStray(_ *rx.Packet, m *rx.Match) { s.reasons = append(s.reasons, m.Reason) }

func TestStrayObserver(t *testing.T) {
	net := answerAll(ms)
	respond := net.Respond
	net.Respond = func(s virtual.Sent) []virtual.Reply {
		return append(respond(s), virtual.Reply{Frame: []byte{0x45}})
	}
	o := &strays{}
	cfg := config(&burst{total: 2, timeout: time.Second}, net, &ports{})
	cfg.Observer = o
	if err := scheduler.New(cfg).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]rx.Reason{rx.ReasonTruncated, rx.ReasonTruncated}, o.reasons); diff != "" {
		t.Errorf("strays (-want +got):\n%s", diff)
	}
}
