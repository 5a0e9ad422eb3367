package survey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/cmd/internal/privilege"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
	strategy "github.com/hopquote/hopquote/scheduler/survey"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// run is one survey from its options to its last output.
type run struct {
	o       *options
	args    []string
	std     Std
	rand    *mathrand.Rand
	names   *hostNames
	targets *space.Space
	cfg     strategy.Config
	net     *network
	record  record.Run
	sink    *sink.Sink
	loops   []*watched
	engines scheduler.Shards // of the loops
	status  *status

	keeper *keeper
	keyIDs []string      // of the tokens' keys, by loop: hashes of them
	begun  time.Duration // when this run began, since the first one did
	// Of a survey that goes on: where it was, and what is left of that to add.
	resumed *checkpoint.Checkpoint
	before  checkpoint.Head
	onward  string // how to go on with it
	held    int    // unfinished traces that are in the checkpoint only, not in outputs that can't be cut back

	draining atomic.Bool // no more probes leave
	stopOnce sync.Once
	why      error // why the run was stopped before it was complete; nil: it was not
	end      record.End
	frames   scheduler.FrameCounts
}

// interrupted is the reason of a run that a signal stopped.
type interrupted struct{ syscall.Signal }

func (i interrupted) Error() string { return i.String() }

// newRand is a generator that nobody can guess.
func newRand() *mathrand.Rand {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails: it ends the process instead
	return mathrand.New(mathrand.NewChaCha8(seed))
}

// do runs the survey, with the targets known. Its error is of what could not
// even begin.
func (r *run) do() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var err error
	r.net = newNetwork(r.resumed) // before anything in it can call stop
	defer r.net.close()
	if err = r.net.open(r.o, r.targets, r.rand, func(err error) { r.stop(err); cancel() }); err != nil {
		return err
	}
	r.begun = time.Since(r.net.epoch)
	if r.resumed != nil {
		if err := r.sameLink(); err != nil {
			return fmt.Errorf("--resume %s: %w", r.o.resume, err)
		}
	}
	left := r.net.leftOut()
	if r.resumed != nil { // else names were told one by one
		left = append(r.names.leftOut(), left...)
	}
	for _, l := range left {
		fmt.Fprintf(r.std.Err, "hopquote survey: %v\n", l)
	}
	for _, l := range r.net.unshared() {
		fmt.Fprintf(r.std.Err, "hopquote survey: %s\n", l)
	}
	if r.o.keepOut {
		if err := r.net.keepKernelOut(r.o); err != nil {
			fmt.Fprintf(r.std.Err, "hopquote survey: --keep-kernel-out: %v\n", err)
		}
	}
	if tx, why := r.net.sends(); why != nil {
		fmt.Fprintf(r.std.Err, "hopquote survey: probes leave by %s: %v\n", tx, why)
	}
	if err := r.prepare(); err != nil {
		return err
	}
	if err := privilege.Drop(r.keeps()...); err != nil {
		return r.abandon(err)
	}
	profile, err := startProfiles(r.o)
	if err != nil {
		return r.abandon(err)
	}
	s := listen()
	defer s.close()
	defer context.AfterFunc(ctx, r.net.wake)()
	finished := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case sig := <-s.stop:
				r.stop(interrupted{sig.(syscall.Signal)})
				if n > 0 {
					cancel()
				}
			case <-finished:
				return
			}
		}
	}()
	if err := r.keeper.begin(r.begun, r.loops); err != nil {
		return r.abandon(err)
	}
	r.status.start(s.demand)
	go r.keepOff(finished)
	err = r.engines.Run(ctx)
	if errors.Is(err, scheduler.ErrInterrupted) {
		err = nil // r.why has the reason
	}
	close(finished)
	r.close(err)
	return profile()
}

// stop lets no more probes leave: what is in flight may still be answered. The
// first reason stays.
func (r *run) stop(why error) {
	r.stopOnce.Do(func() { r.why = why })
	r.draining.Store(true)
	r.net.wake()
}

// prepare makes all that runs.
func (r *run) prepare() error {
	o, n := r.o, r.net
	var err error
	if r.cfg.Probe4, r.cfg.Probe6, err = n.probes(o); err != nil {
		return err
	}
	env := n.any()
	host, _ := os.Hostname()
	perSecond, err := n.perSecond(o)
	if err != nil {
		return err
	}
	r.record = record.Run{
		Program: "hopquote", Version: option.Version, Args: r.args, Host: host, Start: n.epoch, Seed: o.seed, Mode: o.mode, Method: o.method,
		TCPFlags: o.flags, Src4: n.src(0), Src6: n.src(1), DstPort: o.port, TOS: o.tos, First: o.first, Max: o.max, Flows: o.flows,
		Attempts: o.attempts, GapLimit: o.gapLimit(), Timeout: o.timeout, Rate: perSecond, Size4: r.cfg.Probe4.Size, Size6: r.cfg.Probe6.Size,
		Link: env.Header.Type, Interface: env.Interface.Name,
	}
	r.status = r.newStatus(perSecond)
	r.sink, err = sink.Open(sink.Config{
		Targets: o.outputs, Run: &r.record, Stdout: r.std.Out, Overwrite: o.overwrite, Failed: r.stop,
		Known: o.mode != "random", Keep: true, Resume: r.results(),
	})
	if err != nil {
		return err
	}
	r.keeper = r.newKeeper()
	for loop := range o.loops {
		if err := r.addLoop(loop, perSecond/float64(o.loops)); err != nil {
			return r.abandon(err)
		}
	}
	if err := r.restore(); err != nil || r.keeper.journal == nil {
		return err
	}
	for _, w := range r.loops {
		w.log = r.keeper.journal.Log(w.loop)
	}
	return nil
}

// addLoop makes the next of the loops, which sends so many probes in a second.
func (r *run) addLoop(loop int, perSecond float64) error {
	o, n := r.o, r.net
	env := n.any()
	w := &watched{srcPort: n.firstPort(loop, o.loops), meter: &meter{every: o.interval, last: sample{at: r.begun}}, sink: r.sink, draining: &r.draining}
	w.loop, w.keeper, w.senders = loop, r.keeper, &n.senders[loop]
	w.unrouted, w.targets, w.resumed = n.unrouted(), r.targets, r.resumed != nil
	if o.method.HasPorts() {
		w.stride = uint16(o.loops)
	}
	w.probes = r.sink.Traces() && o.mode != "random"
	cfg := r.cfg
	cfg.Probe4.SrcPort, cfg.Probe6.SrcPort, cfg.Stride = w.srcPort, w.srcPort, o.loops
	cfg.Shard, cfg.Shards = o.shard+o.shards*uint64(loop), o.shards*uint64(o.loops)
	cfg.Reply, cfg.Finish = w.reply, w.finish
	var err error
	if w.surveyor, err = newSurveyor(o.mode, cfg); err != nil {
		return err
	}
	book, window, err := r.newBook(perSecond)
	if err != nil {
		return err
	}
	engine := scheduler.Config{
		Strategy: w, Clock: scheduler.Monotonic{Epoch: n.epoch}, Sender: n.senders[loop].sender(), Receiver: n.rings[loop], Book: book,
		Unrouted: n.unrouted(), Link: env.Header, MTU: env.MTU, Window: window, Rate: perSecond, Full: r.sink.Full,
	}
	if perSecond == 0 {
		engine.Batch = maxBatch
	}
	if r.sink.Frames() {
		engine.Observer = &frames{watched: w}
	}
	e := scheduler.New(engine)
	w.counts, w.frames, w.book, w.now = e.Counts, e.Frames, book, engine.Clock.Now
	w.drops = func() uint64 { drops, _ := n.rings[loop].Drops(); return drops }
	r.loops, r.engines, r.status.meters = append(r.loops, w), append(r.engines, e), append(r.status.meters, w.meter)
	return nil
}

const (
	// maxBatch is how many probes leave at once where nothing else decides.
	maxBatch = 64
	// minWindow and maxWindow bound the probes that may be in flight, which are
	// else as many as leave within the timeout.
	minWindow, maxWindow = 1 << 10, 1 << 20
)

// newBook makes the ledger of the probes in flight.
func (r *run) newBook(perSecond float64) (*rx.Ledger, int, error) {
	window := maxWindow / r.o.loops
	if perSecond > 0 {
		window = int(min(max(perSecond*r.o.timeout.Seconds()*1.5, minWindow), float64(window)))
	}
	var key [8]byte
	for i := range key {
		key[i] = byte(r.rand.Uint32())
	}
	sum := sha256.Sum256(append([]byte("hopquote key id"), key[:]...))
	r.keyIDs = append(r.keyIDs, hex.EncodeToString(sum[:8]))
	book, err := rx.NewLedger(rx.LedgerConfig{
		Key: key, Timeout: r.o.timeout, Slots: window, IPv6: r.net.envelopes[1] != nil,
		Shared: r.o.loops > 1 && r.o.mode == "random", // which has loops share the targets
	})
	return book, window, err
}

func (r *run) newStatus(perSecond float64) *status {
	s := &status{
		out: r.std.Err, form: r.o.status, every: r.o.interval, asked: perSecond, unit: "probes",
		found: func() (uint64, bool) { return r.sink.Found() },
		drops: func() uint64 { return r.before.KernelDrops + r.net.drops() },
		begun: r.begun, before: &r.before, wake: r.net.wake,
	}
	if r.o.mode == "adaptive" {
		s.unit = "traces"
	}
	if s.form == "auto" {
		s.form = "none"
		if r.std.terminal() {
			s.form, s.line = "text", true
		}
	}
	return s
}

// summary tells what became of the probes and replies, in lines for people.
func (r *run) summary() string {
	c := &r.end.Counts
	found := interfaces(r.sink.Found())
	if n := max(r.end.Traces, r.sink.Finished()); n > 0 || r.o.mode != "random" { // which knows none
		found += fmt.Sprintf(", %d traces", n)
	}
	var left strings.Builder
	for _, l := range r.leftOut() {
		fmt.Fprintf(&left, "%v\n", l)
	}
	targets := fmt.Sprintf("%d targets", r.targets.Len())
	if r.o.shards > 1 {
		targets += fmt.Sprintf(", shard %d of %d", r.o.shard, r.o.shards)
	}
	return fmt.Sprintf("sent %d = answered %d + expired %d + in flight %d\n"+
		"received %d = matched %d + duplicate %d + late %d + stray %d; kernel drops %d\n"+
		"verdicts:%s\n"+
		"%s, %s in %.3f s; probes left at %s/s\n%s",
		c.Sent, c.Answered, c.Expired, c.InFlight, c.Received, c.Matched, c.Duplicate, c.Late, c.Strays(), r.end.KernelDrops, verdicts(c),
		targets, found, r.active(r.end.At).Seconds(), perSecond(r.sending().rate()), left.String())
}

// sending is from the first to the last probe of all loops.
func (r *run) sending() (sum span) {
	for _, w := range r.loops {
		sum.add(w.sending)
	}
	return sum
}

// verdicts lists those that occurred.
func verdicts(c *rx.Counts) string {
	var b strings.Builder
	for v, n := range c.Verdicts {
		if n > 0 {
			fmt.Fprintf(&b, " %v %d", rx.Verdict(v), n)
		}
	}
	return b.String()
}

// probeSize is what a probe has on an Ethernet link, in bytes, at most.
func (r *run) probeSize() int {
	size := 0
	for v6, n := range map[bool]int{false: r.cfg.Probe4.Size, true: r.cfg.Probe6.Size} {
		if _, ok := r.targets.First(v6); ok {
			size = max(size, n)
		}
	}
	return size + frame.LinkEthernet.HeaderLen()
}
