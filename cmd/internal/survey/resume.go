package survey

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/cmd/internal/mistake"
	"github.com/hopquote/hopquote/cmd/internal/survey/checkpoint"
	"github.com/hopquote/hopquote/cmd/internal/survey/sink"
	"github.com/hopquote/hopquote/cmd/internal/target"
)

// resume reads the checkpoint that a command line names, and gives the options
// of the survey that it goes on with: what the command line does not say is as it
// was.
func resume(o *options, args []string) (*options, *checkpoint.Checkpoint, []string, error) {
	from := o.resume
	c, err := checkpoint.Read(from)
	if err != nil {
		return nil, nil, nil, err
	}
	if c.Onward != "" {
		return nil, nil, nil, fmt.Errorf("--resume %s: the survey went on from there, and its checkpoint is %s", from, c.Onward)
	}
	if args, err = merge(c.Args, args); err == nil {
		o, _, err = parse(args)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("--resume %s: %w", from, err)
	}
	if o.seeded && o.seed != c.Seed {
		return nil, nil, nil, fmt.Errorf("--resume %s: --seed: %d, and the checkpoint has %d", from, o.seed, c.Seed)
	}
	o.seed, o.seeded = c.Seed, true
	if _, err := os.Readlink(from); err == nil {
		// The journal is beside the file itself, and that is to be replaced.
		if real, err := filepath.EvalSymlinks(from); err == nil {
			o.resume = real
		}
	}
	return o, c, args, nil
}

// elsewhere tells whether this is another directory than the one where a survey
// was begun.
func elsewhere(dir string) bool {
	was, err := os.Stat(dir)
	here, herr := os.Stat(".")
	return dir != "" && (err != nil || herr != nil || !os.SameFile(was, here))
}

// begunIn refuses to go on elsewhere than in the directory where a survey was
// begun: what it would cut back and write to would be other files of those names.
func (o *options) begunIn(dir string) error {
	if !elsewhere(dir) {
		return nil
	}
	paths := []string{o.metadata, o.checkpoint}
	for _, t := range o.outputs {
		paths = append(paths, t.Path)
	}
	for _, p := range paths {
		if p != "" && p != "-" && !filepath.IsAbs(p) {
			return fmt.Errorf("%s is a file in %s: go on there", p, dir)
		}
	}
	return nil
}

// merge is a command line that says what another one does, and all that it does
// not say itself. Options that may be given several times count together.
func merge(before, now []string) ([]string, error) {
	old, targets, err := split(before)
	if err != nil {
		return nil, err
	}
	given, others, err := split(now)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		targets = others
	}
	said := map[string]bool{"resume": true}
	for _, s := range given {
		said[s.name] = true
	}
	var args []string
	for _, s := range old {
		if !said[s.name] {
			args = append(args, "--"+s.name+"="+s.value)
		}
	}
	for _, s := range given {
		args = append(args, "--"+s.name+"="+s.value)
	}
	return append(append(args, "--"), targets...), nil
}

// said is an option of a command line.
type said struct{ name, value string }

// split takes a command line apart into options, in order, and targets.
func split(args []string) (all []said, targets []string, err error) {
	f := flagSet(&options{}, &raw{})
	err = f.ParseAll(args, func(flag *pflag.Flag, value string) error {
		all = append(all, said{flag.Name, value})
		return nil
	})
	return all, f.Args(), mistake.Of(err)
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

// targetsAgain adds to why targets can't be read what may have been forgotten.
func (r *run) targetsAgain(err error) error {
	switch {
	case r.resumed == nil:
		return err
	case slices.Contains(r.o.targets, target.Stdin):
		return fmt.Errorf("--resume %s: targets of standard input have to be given again: %w", r.o.resume, err)
	case elsewhere(r.resumed.Dir):
		return fmt.Errorf("--resume %s: the survey was begun in %s: %w", r.o.resume, r.resumed.Dir, err)
	}
	return err
}

// fits tells why a run can't go on from a checkpoint, nil if it can.
func (r *run) fits() error {
	c := r.resumed
	if err := c.Differ(r.settings()); err != nil {
		return err
	}
	for i, t := range r.o.outputs {
		if name := passing(t.Path); name != "" && !c.Stopped {
			return fmt.Errorf("--output: what went to %s after the checkpoint can't be taken back", name)
		}
		if i >= len(c.Outputs) {
			return errors.New("the checkpoint has fewer outputs")
		}
	}
	return r.o.begunIn(c.Dir)
}

// passing names an output if what is written there is gone: standard output or a
// pipe.
func passing(path string) string {
	if path == "-" {
		return "standard output"
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		return path
	}
	return ""
}

// passing names the first output that can't be cut back.
func (r *run) passing() string {
	for _, t := range r.o.outputs {
		if name := passing(t.Path); name != "" {
			return name
		}
	}
	return "a device"
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
