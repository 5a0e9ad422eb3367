package simnet

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Read reads and parses the script in a file.
func Read(path string) (*Script, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("simnet: read script: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err != nil {
		return nil, fmt.Errorf("simnet: read script %s: %w", path, err)
	}
	return Parse(path, text)
}

// Parse parses a script. The errors of one line start with name and line
// number.
func Parse(name string, text []byte) (*Script, error) {
	lines, err := scan(name, text)
	if err != nil {
		return nil, err
	}
	p := parser{Script: &Script{known: map[netip.Addr]bool{}}, base: plainReply()}
	for _, l := range lines {
		c := &cursor{words: l.words}
		err := p.line(c, l.text)
		if err == nil && c.peek() != "" {
			err = fmt.Errorf("%q is not expected here", c.peek())
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", name, l.number, l.words[0], err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p.Script, nil
}

// parser is a script that grows line by line.
type parser struct {
	*Script
	base    reply // with the modifiers of default lines
	buckets int   // rate limits seen so far
}

var keywords = map[string]func(*parser, *cursor) error{
	"source":  (*parser).source,
	"target":  (*parser).target,
	"name":    (*parser).name,
	"seed":    (*parser).seedLine,
	"default": (*parser).defaults,
	"mtu":     (*parser).mtu,
	"hop":     (*parser).hop,
	"dest":    (*parser).dest,
	"run":     (*parser).run,
}

func (p *parser) line(c *cursor, text string) error {
	word, _ := c.take()
	if word == outputMark {
		return p.output(text)
	}
	parse, ok := keywords[word]
	if !ok {
		return fmt.Errorf("a line must start with source, target, name, seed, default, mtu, hop, dest, run or |")
	}
	if len(p.rules)+len(p.mtus) >= maxRules {
		return fmt.Errorf("more than %d lines of hop, dest and mtu", maxRules)
	}
	return parse(p, c)
}

// source parses "source ADDR/BITS gateway ADDR".
func (p *parser) source(c *cursor) error {
	w, _ := c.take()
	prefix, err := netip.ParsePrefix(w)
	if err != nil || prefix.Addr().Is4In6() {
		return fmt.Errorf("%q: must be an address with its prefix length, like 10.9.9.1/24", w)
	}
	if !c.skip("gateway") {
		return fmt.Errorf("the word gateway and its address are missing after %s", w)
	}
	gateway, err := c.addr("gateway")
	if err != nil {
		return err
	}
	if gateway == prefix.Addr() || !prefix.Contains(gateway) {
		return fmt.Errorf("gateway %s: must be another address of %s", gateway, prefix.Masked())
	}
	p.Sources = append(p.Sources, Source{prefix, gateway})
	p.known[gateway] = true
	return nil
}

// target parses "target ADDR|ADDR/BITS ...".
func (p *parser) target(c *cursor) error {
	for first := true; first || c.peek() != ""; first = false {
		w, _ := c.take()
		if prefix, err := netip.ParsePrefix(w); err == nil && !prefix.Addr().Is4In6() {
			p.Targets = append(p.Targets, prefix.Masked())
			continue
		}
		a, err := parseAddr(w, "target")
		if err != nil {
			return err
		}
		p.Targets = append(p.Targets, netip.PrefixFrom(a, a.BitLen()))
	}
	return nil
}

// name parses "name ADDR NAME ...".
func (p *parser) name(c *cursor) error {
	a, err := c.addr("address")
	if err != nil {
		return err
	}
	n := Name{Addr: a, Names: slices.Clone(c.words[c.at:])}
	c.at = len(c.words)
	if len(n.Names) == 0 {
		return fmt.Errorf("a host name is missing after %s", a)
	}
	for _, s := range n.Names {
		if len(s) > 253 || strings.Trim(s, hostNameBytes) != "" {
			return fmt.Errorf("%q: a host name has up to 253 letters, digits, dots, hyphens and underscores", s)
		}
	}
	p.Names = append(p.Names, n)
	return nil
}

const hostNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

func (p *parser) seedLine(c *cursor) (err error) {
	p.seed, err = c.number("seed", 0, 1<<64-1)
	return err
}

// run parses "run ARGUMENT ...".
func (p *parser) run(c *cursor) error {
	p.Runs = append(p.Runs, Run{Args: slices.Clone(c.words[c.at:])})
	c.at = len(c.words)
	return nil
}

// output adds a line to what the latest run prints.
func (p *parser) output(text string) error {
	if len(p.Runs) == 0 {
		return fmt.Errorf("output must follow a run line")
	}
	last := &p.Runs[len(p.Runs)-1]
	last.Output = append(last.Output, text)
	return nil
}

// defaults parses "default MODIFIER ...", for the lines that follow.
func (p *parser) defaults(c *cursor) error {
	base := p.base
	if err := p.modifiers(c, &base); err != nil {
		return err
	}
	if base.from.IsValid() {
		return fmt.Errorf("from %s: every line must say where its replies come from", base.from)
	}
	p.base = base
	return nil
}

// finish checks what only the whole script shows.
func (p *parser) finish() error {
	if len(p.Sources) == 0 {
		return fmt.Errorf("no source line")
	}
	if len(p.Targets) == 0 {
		return fmt.Errorf("no target line")
	}
	for _, t := range p.Targets {
		if !p.gateway(t.Addr().Is6()).IsValid() {
			return fmt.Errorf("target %s: no source line of its family", t)
		}
		for _, s := range p.Sources {
			if t.Contains(s.Prefix.Addr()) {
				return fmt.Errorf("target %s holds the source %s", t, s.Prefix.Addr())
			}
		}
	}
	for i := range p.mtus {
		if err := p.placeMTU(&p.mtus[i]); err != nil {
			return err
		}
	}
	return nil
}
