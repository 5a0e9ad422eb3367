package quotes

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/cmd/internal/quotes/view"
	"github.com/hopquote/hopquote/rx/attribute"
)

type options struct {
	files    []string
	format   string
	tables   []string
	plot     string
	identity bool
	explain  bool
	help     bool
	filter   filter
	limit    int
	wide     bool
	config   attribute.Config
	flags    *pflag.FlagSet
}

// filter says which replies are shown. Verdict totals and keys are of all.
type filter struct {
	responders, targets []netip.Prefix
	ttlFirst, ttlLast   int // 0: any
	verdicts            []string
}

func (f *filter) empty() bool {
	return len(f.responders)+len(f.targets)+len(f.verdicts) == 0 && f.ttlFirst == 0
}

func (f *filter) passes(r *attribute.Result) bool {
	switch {
	case len(f.responders) > 0 && !contains(f.responders, r.Reply.From),
		len(f.targets) > 0 && !contains(f.targets, r.Target),
		len(f.verdicts) > 0 && !slices.Contains(f.verdicts, r.Verdict.String()):
		return false
	case f.ttlFirst == 0:
		return true
	}
	ttl := int(r.Cause.TTL)
	return r.Verdict.Attributed() && ttl >= f.ttlFirst && ttl <= f.ttlLast
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := pflag.NewFlagSet("quotes", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	o.flags = flags
	var responders, targets, verdicts, keys []string
	var ttl string
	flags.StringVarP(&o.format, "format", "f", view.Text, "print `text`, jsonl or csv")
	flags.StringSliceVarP(&o.tables, "table", "t", nil, "print only these `TABLES`: "+strings.Join(view.Tables, ", "))
	flags.StringVar(&o.plot, "plot", "", "draw precision and recall of the keys into `FILE`.svg")
	flags.StringSliceVarP(&responders, "responder", "r", nil, "only replies from this `ADDRESS` or prefix")
	flags.StringSliceVarP(&targets, "target", "d", nil, "only replies about probes to this `ADDRESS` or prefix")
	flags.StringVar(&ttl, "ttl", "", "only replies to probes sent with this TTL or range `N-M`")
	flags.StringSliceVar(&verdicts, "verdict", nil, "only replies with these `VERDICTS`")
	flags.IntVarP(&o.limit, "limit", "n", 20, "rows of the tables of TTLs, responders and extensions, 0 for all")
	flags.BoolVarP(&o.wide, "wide", "w", false, "do not cut lines at 80 columns")
	flags.StringSliceVarP(&keys, "keys", "k", []string{"all"}, "try these `KEYS`, all or none")
	flags.DurationVar(&o.config.Wait, "wait", 5*time.Second, "a reply is late after this `TIME`, and no key finds its probe")
	flags.DurationVar(&o.config.Age, "age", time.Minute, "forget probes after this `TIME`")
	flags.IntVar(&o.config.Packets, "packets", 1<<18, "remember at most `N` probes")
	flags.BoolVar(&o.identity, "identity", false, "show which header fields carry a probe's identity, and end")
	flags.BoolVar(&o.explain, "explain", false, "show what verdicts, anomalies, rules and keys mean, and end")
	flags.BoolVarP(&o.help, "help", "h", false, "show this help")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	o.files = flags.Args()
	if o.help || o.identity || o.explain {
		return o, nil
	}
	var err error
	if o.filter.responders, err = prefixes("responder", responders); err != nil {
		return nil, err
	}
	if o.filter.targets, err = prefixes("target", targets); err != nil {
		return nil, err
	}
	if o.filter.ttlFirst, o.filter.ttlLast, err = ttlRange(ttl); err != nil {
		return nil, err
	}
	if o.filter.verdicts, err = verdictNames(verdicts); err != nil {
		return nil, err
	}
	switch {
	case slices.Equal(keys, []string{"all"}):
		o.config.Keys = attribute.Keys()
	case slices.Equal(keys, []string{"none"}):
	default:
		if o.config.Keys, err = attribute.FindKeys(keys); err != nil {
			return nil, err
		}
	}
	return o, o.check()
}

func (o *options) check() error {
	for _, t := range o.tables {
		if !slices.Contains(view.Tables, t) {
			return fmt.Errorf("table %q, want some of %s", t, strings.Join(view.Tables, ", "))
		}
	}
	switch o.format {
	case view.Text, view.JSONL:
	case view.CSV:
		if len(o.tables) > 1 {
			return fmt.Errorf("%d tables, want one: the rows of a CSV file are all alike", len(o.tables))
		}
	default:
		return fmt.Errorf("format %q, want %s, %s or %s", o.format, view.Text, view.JSONL, view.CSV)
	}
	switch {
	case o.plot != "" && !strings.HasSuffix(o.plot, ".svg"):
		return fmt.Errorf("plot file %q, want a name that ends in .svg", o.plot)
	case o.plot != "" && len(o.config.Keys) == 0:
		return errors.New("--plot draws keys, but --keys=none leaves none")
	case o.limit < 0:
		return fmt.Errorf("limit %d, want 0 or more", o.limit)
	case o.config.Wait <= 0 || o.config.Age < o.config.Wait:
		return fmt.Errorf("wait %v and age %v, want a positive wait and no shorter age", o.config.Wait, o.config.Age)
	case o.config.Packets < 1 || o.config.Packets > 1<<28:
		return fmt.Errorf("%d packets, want 1..%d", o.config.Packets, 1<<28)
	case len(o.files) == 0:
		return errors.New("which capture? Give one or more files, or - for standard input")
	}
	stdin := 0
	for _, f := range o.files {
		if f == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return errors.New("standard input can be read only once")
	}
	return nil
}

func prefixes(option string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("--%s %q, want an address or a prefix such as 192.0.2.0/24", option, s)
			}
			p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

func ttlRange(s string) (first, last int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if err1 != nil || err2 != nil || first < 1 || last > 255 || first > last {
		return 0, 0, fmt.Errorf("--ttl %q, want 1..255 or a range of them such as 3-7", s)
	}
	return first, last, nil
}

func verdictNames(list []string) ([]string, error) {
	var all []string
	for v := range attribute.Verdict(attribute.Verdicts) {
		all = append(all, v.String())
	}
	for _, s := range list {
		if !slices.Contains(all, s) {
			return nil, fmt.Errorf("verdict %q, want some of %s", s, strings.Join(all, ", "))
		}
	}
	return list, nil
}
