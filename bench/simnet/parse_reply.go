package simnet

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a reply.
const (
	maxExtension = 4096 // bytes
	maxEdits     = 64
	maxCopies    = 100
)

// plainReply is a reply before any modifier.
func plainReply() reply {
	return reply{ttl: 64, quote: quote{size: -1}, ext: extension{length: lengthAuto, version: 2}}
}

// reply parses "KIND [NUMBER] [MODIFIER]...".
func (p *parser) reply(c *cursor) (reply, error) {
	re := p.base
	w, _ := c.take()
	k, ok := kindByName(w)
	if !ok {
		return re, fmt.Errorf("reply %q: must be one of %s", w, strings.Join(kindNames[:], ", "))
	}
	re.kind = k
	if err := re.argument(c); err != nil {
		return re, err
	}
	return re, p.modifiers(c, &re)
}

// argument parses the number that some kinds have.
func (re *reply) argument(c *cursor) error {
	var n uint64
	var err error
	switch re.kind {
	case unreach, param, redirect:
		n, err = c.number("code", 0, 255)
		re.code = uint8(n)
	case tooBig:
		n, err = c.number("MTU", 0, 1<<32-1)
		re.rest = uint32(n)
	case tcpFlags:
		n, err = c.number("flags", 0, 255)
		re.flags = uint8(n)
	case exceeded:
		if w := c.peek(); w != "" && w[0] >= '0' && w[0] <= '9' {
			n, err = c.number("code", 0, 255)
			re.code = uint8(n)
		}
	case rawType:
		w, _ := c.take()
		re.typ, re.code, err = parsePair(w, "type")
	}
	return err
}

// parsePair reads N/N.
func parsePair(w, what string) (a, b uint8, err error) {
	first, second, _ := strings.Cut(w, "/")
	x, err1 := strconv.ParseUint(first, 0, 8)
	y, err2 := strconv.ParseUint(second, 0, 8)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%s %q: must be two numbers from 0 to 255 like 11/1", what, w)
	}
	return uint8(x), uint8(y), nil
}

// modifierNames are listed when a word is none of them.
const modifierNames = "from, delay, ttl, tos, rest, data, quote, full, pad128, edit, translate, inside, length, mpls, object, ext, extsum, " +
	"extversion, ack, badsum, dup, loss, rate"

// modifiers parses up to the reply's end.
func (p *parser) modifiers(c *cursor, re *reply) error {
	// Slices of a default must not grow into another reply's.
	re.quote.edits = re.quote.edits[:len(re.quote.edits):len(re.quote.edits)]
	re.quote.layers = re.quote.layers[:len(re.quote.layers):len(re.quote.layers)]
	re.ext.objects = re.ext.objects[:len(re.ext.objects):len(re.ext.objects)]
	for !c.atReplyEnd() {
		w, _ := c.take()
		if err := p.modifier(w, c, re); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) modifier(w string, c *cursor, re *reply) (err error) {
	var n uint64
	switch w {
	case "from":
		re.from, err = c.addr("from")
	case "delay":
		re.delay, err = c.delay()
	case "ttl":
		n, err = c.number("ttl", 0, 255)
		re.ttl = uint8(n)
	case "tos":
		n, err = c.number("tos", 0, 255)
		re.tos = uint8(n)
	case "rest":
		n, err = c.number("rest", 0, 1<<32-1)
		re.rest = uint32(n)
	case "data":
		re.data, err = c.hex("data", 1400)
	case "ack":
		n, err = c.number("ack", 0, 1<<32-1)
		re.ack = uint32(n)
	case "badsum":
		re.badSum = true
	case "dup":
		n, err = c.number("dup", 1, maxCopies)
		re.copies = int(n)
	case "loss":
		re.loss, err = c.percent("loss")
	case "rate":
		return p.limit(c, re)
	case "quote":
		n, err = c.number("quote", 0, 65535)
		re.quote.size, re.quote.full = int(n), false
	case "full":
		re.quote.size, re.quote.full = -1, true
	case "pad128":
		re.quote.pad128 = true
	case "edit":
		if len(re.quote.edits) >= maxEdits {
			return fmt.Errorf("more than %d edits", maxEdits)
		}
		var e edit
		w, _ := c.take()
		e, err = parseEdit(w)
		re.quote.edits = append(re.quote.edits, e)
	case "translate":
		re.quote.src, re.quote.dst, err = c.ends("translate")
	case "inside":
		err = re.quote.layer(c)
	default:
		return re.ext.modifier(w, c)
	}
	return err
}

// limit parses "N/s [burst N]".
func (p *parser) limit(c *cursor, re *reply) error {
	rate, err := c.rate()
	if err != nil {
		return err
	}
	re.rate, re.burst = rate, 1
	re.bucket = p.buckets
	p.buckets++
	if c.skip("burst") {
		n, err := c.number("burst", 1, 1<<20)
		if err != nil {
			return err
		}
		re.burst = float64(n)
	}
	return nil
}
