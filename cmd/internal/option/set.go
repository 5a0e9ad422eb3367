package option

import (
	"strings"

	"github.com/hopquote/hopquote/frame"
)

const (
	maxItems    = 15                 // of -O and -P together
	maxGateways = frame.MaxGateways6 // while parsing; IPv4 allows fewer
	maxItemLen  = 79                 // bytes of one item of -O or -g

	defaultProtocol = 253 // of method raw: for experiments, RFC 3692
)

// setPort takes a number, whatever follows it, or a service name.
func (p *parser) setPort(value string) (err error) {
	p.port, err = p.portNumber(value)
	return err
}

func (p *parser) setSourcePort(value string) (err error) {
	p.sourcePort, err = p.portNumber(value)
	return err
}

func (p *parser) portNumber(value string) (uint32, error) {
	if v, ok := leadingUint(value); ok {
		return v, nil
	}
	if v, ok := p.names.service(value); ok {
		return v, nil
	}
	return 0, &refusal{}
}

// setWait takes one to three numbers, any single byte between them. Those not
// given are off.
func (p *parser) setWait(value string) error {
	var wait [3]float64
	for i := 0; ; i++ {
		v, rest, ok := scanFloat(value)
		if !ok {
			return &refusal{}
		}
		wait[i] = v
		if rest == "" {
			break
		}
		if i == len(wait)-1 {
			return &refusal{}
		}
		value = rest[1:]
	}
	p.wait = wait
	return nil
}

func (p *parser) setSendWait(value string) error {
	v, ok := wholeFloat(value)
	if !ok {
		return &refusal{}
	}
	p.sendWait = v
	return nil
}

func (p *parser) setSource(value string) error {
	addr, before, ok := p.resolve(value, p.family)
	if !ok {
		return &refusal{before}
	}
	p.opts.Source, p.opts.SourceAddr = value, addr
	return nil
}

func (p *parser) setFormat(value string) error {
	if value != "text" && value != "json" {
		return &refusal{}
	}
	p.opts.Format = value
	return nil
}

func (p *parser) setASSource(value string) error {
	file, isFile := strings.CutPrefix(value, "mmdb:")
	if value != "whois" && value != "cymru" && (!isFile || file == "") {
		return &refusal{}
	}
	p.opts.ASSource = value
	return nil
}

func (p *parser) setPCAP(value string) error {
	if value == "" {
		return &refusal{}
	}
	p.opts.PCAP = value
	return nil
}

// setProtocol is method raw with its option protocol; the value is checked
// with the other options of the method.
func (p *parser) setProtocol(value string) error {
	p.method = "raw"
	return p.addItem("protocol=" + value)
}

// addItems takes options for the method. The item help lists those of the
// method chosen so far and ends the parsing.
func (p *parser) addItems(value string) error {
	return split(value, func(item string) error {
		if item == "help" {
			return helpItems(p.method)
		}
		return p.addItem(item)
	})
}

func (p *parser) addItem(item string) error {
	if len(p.items) == maxItems {
		return &refusal{"Too many module options\n"}
	}
	p.items = append(p.items, item)
	return nil
}

func (p *parser) addGateways(value string) error {
	return split(value, func(item string) error {
		if len(p.gateways) == maxGateways {
			// The reference program has no newline here either.
			return &refusal{"Too many gateways specified."}
		}
		p.gateways = append(p.gateways, item)
		return nil
	})
}

// split calls add for each item of a list. Comma, blank and tab separate, any
// number of them; a separator at the very start makes an empty item.
func split(list string, add func(item string) error) error {
	const separators = ", \t"
	for list != "" {
		item, rest := list, ""
		if i := strings.IndexAny(list, separators); i >= 0 {
			item, rest = list[:i], list[i:]
		}
		if len(item) > maxItemLen {
			return &refusal{}
		}
		if err := add(item); err != nil {
			return err
		}
		list = strings.TrimLeft(rest, separators)
	}
	return nil
}
