package survey

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
)

// resume reads the checkpoint that a command line names, and gives the options
// of the survey that it goes on with. Without targets the command line is that
// of the checkpoint, with the options given behind it.
func resume(o *options, args []string) (*options, *checkpoint.Checkpoint, []string, error) {
	c, err := checkpoint.Read(o.resume)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(o.targets) == 0 {
		args = append(without(c.Args, "resume"), args...)
	}
	from := o.resume
	o, _, err = parse(args)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("--resume %s: %w", from, err)
	}
	if o.seeded && o.seed != c.Seed {
		return nil, nil, nil, fmt.Errorf("--resume %s: --seed: %d, and the checkpoint has %d", from, o.seed, c.Seed)
	}
	o.seed, o.seeded = c.Seed, true
	return o, c, args, nil
}

// without is a command line without an option and its value.
func without(args []string, name string) []string {
	var left []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return append(left, args[i:]...)
		case args[i] == "--"+name:
			i++
		case !strings.HasPrefix(args[i], "--"+name+"="):
			left = append(left, args[i])
		}
	}
	return left
}

// settings are the options that decide what is probed, how and in which order,
// and where it is written to. How fast, and what is reported meanwhile, may be
// another for each run.
func (r *run) settings() []checkpoint.Setting {
	o := r.o
	var outputs []string
	for _, t := range o.outputs {
		outputs = append(outputs, t.Kind.Name+":"+t.Path)
	}
	digest := r.targets.Digest()
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	return []checkpoint.Setting{
		{Name: "--mode", Value: o.mode}, {Name: "--method", Value: o.method.String() + "/" + n(uint64(o.flags))},
		{Name: "--port", Value: n(uint64(o.port))}, {Name: "--first-ttl", Value: n(uint64(o.first))}, {Name: "--max-ttl", Value: n(uint64(o.max))},
		{Name: "--start-ttl", Value: n(uint64(o.start))}, {Name: "--flows", Value: n(uint64(o.flows))},
		{Name: "--attempts", Value: n(uint64(o.attempts))}, {Name: "--gap-limit", Value: n(uint64(o.gap))},
		{Name: "--tos", Value: n(uint64(o.tos))}, {Name: "--size", Value: n(uint64(o.size))}, {Name: "--probe-contact", Value: strconv.Quote(o.contact)},
		{Name: "--loops", Value: n(uint64(o.loops))}, {Name: "--shard", Value: n(o.shard) + "/" + n(o.shards)}, {Name: "--output", Value: strings.Join(outputs, " ")},
		{Name: "targets", Value: fmt.Sprintf("%d, digest %x", r.targets.Len(), digest[:8])},
	}
}

// fits tells why a run can't go on from a checkpoint, nil if it can.
func (r *run) fits() error {
	c := r.resumed
	if err := c.Differ(r.settings()); err != nil {
		return err
	}
	for i, t := range r.o.outputs {
		if t.Path == "-" && !c.Stopped {
			return errors.New("--output: what went to standard output after the checkpoint can't be taken back")
		}
		if i >= len(c.Outputs) {
			return errors.New("the checkpoint has fewer outputs")
		}
	}
	return nil
}

// sameLink tells why the probes would not be what they were.
func (r *run) sameLink() error {
	c := r.resumed
	for f, was := range c.Src {
		if now := addr(r.net, f); now != was {
			return fmt.Errorf("probes would leave from %q, and left from %q: use -s", now, was)
		}
	}
	if now := r.net.link(); now != c.Link {
		return fmt.Errorf("probes would leave by %s, and left by %s: use -i", now, c.Link)
	}
	return nil
}

// results is what the outputs go on from, nil for a survey that begins.
func (r *run) results() *sink.Cut {
	if r.resumed == nil {
		return nil
	}
	return &sink.Cut{Outputs: r.resumed.Outputs, State: r.resumed.Results}
}
