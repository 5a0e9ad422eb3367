package simnet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a script.
const (
	maxScript = 1 << 20 // bytes
	maxLine   = 4096    // bytes
	maxRules  = 1000    // lines of hop, dest and mtu
)

// outputMark starts a line of what a run prints.
const outputMark = "|"

// line is one line's words. A comma ends a word and is a word of its own when
// blanks or the line's end follow; one in the middle of a word belongs to it.
type line struct {
	number int
	words  []string
	text   string // of an output line: all behind its bar
}

// scan cuts a script into the lines that say something.
func scan(name string, text []byte) ([]line, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("%s: script of %d bytes: %d are allowed", name, len(text), maxScript)
	}
	var lines []line
	for i, raw := range bytes.Split(text, []byte("\n")) {
		number := i + 1
		if len(raw) > maxLine {
			return nil, fmt.Errorf("%s:%d: line of %d bytes: %d are allowed", name, number, len(raw), maxLine)
		}
		if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
			return nil, fmt.Errorf("%s:%d: not text", name, number)
		}
		if output, ok := strings.CutPrefix(string(raw), outputMark); ok {
			lines = append(lines, line{number, []string{outputMark}, output})
			continue
		}
		if words := split(string(raw)); len(words) > 0 {
			lines = append(lines, line{number: number, words: words})
		}
	}
	return lines, nil
}

// split gives the words before a comment. A # inside a word starts none.
func split(s string) []string {
	var words []string
	for _, w := range strings.Fields(s) {
		if w[0] == '#' {
			break
		}
		if trimmed := strings.TrimSuffix(w, ","); trimmed != "" {
			words = append(words, trimmed)
		}
		if strings.HasSuffix(w, ",") {
			words = append(words, ",")
		}
	}
	return words
}

// cursor walks the words of a line.
type cursor struct {
	words []string
	at    int
}

// peek is the next word, empty at the end.
func (c *cursor) peek() string {
	if c.at == len(c.words) {
		return ""
	}
	return c.words[c.at]
}

// take gives the next word and whether there is one, other than a separator.
func (c *cursor) take() (string, bool) {
	w := c.peek()
	if w == "" || isSeparator(w) {
		return "", false
	}
	c.at++
	return w, true
}

// skip goes past the next word if it is w.
func (c *cursor) skip(w string) bool {
	if c.peek() != w {
		return false
	}
	c.at++
	return true
}

// atReplyEnd tells whether no more words of a reply follow.
func (c *cursor) atReplyEnd() bool { return c.peek() == "" || isSeparator(c.peek()) }

func isSeparator(w string) bool { return w == "," || w == "+" }
