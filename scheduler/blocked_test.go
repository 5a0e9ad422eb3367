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

// A probe waits for an identity while another waits for room at the sender:
// nothing is in flight, so only the engine itself can try that one again.
func TestEngineNoIdentityAndNoRoom(t *testing.T) {
	net := answerAll(ms)
	refusals := 5
	net.Refuse = func(time.Duration, []byte) (bool, error) {
		refusals--
		return refusals < 0, nil
	}
	p := &ports{limit: 1}
	cfg := config(&burst{total: 2, timeout: time.Second}, net, p)
	cfg.Window, cfg.Batch = 2, 2
	e := scheduler.New(cfg)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := e.Counts(); c.Answered != 2 || p.held != 0 {
		t.Errorf("%d probes answered, %d ports held; want 2 and 0", c.Answered, p.held)
	}
}

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
