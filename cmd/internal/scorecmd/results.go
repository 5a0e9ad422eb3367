package scorecmd

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/hopquote/hopquote/bench/simnet/internet/score"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
)

var errEmpty = errors.New("nothing is in it: want the output jsonl, csv or replies of hopquote survey")

// results reads the replies of a file, whose form its first bytes tell. An error
// ends the sequence.
func results(name string, stdin io.Reader) iter.Seq2[score.Result, error] {
	return func(yield func(score.Result, error) bool) {
		err := func() error {
			f, err := openFile(name, stdin)
			if err != nil {
				return err
			}
			defer f.Close()
			b, end, err := decompress(bufio.NewReader(f))
			if err != nil {
				return err
			}
			defer end()
			take := func(r score.Result) bool { return yield(r, nil) }
			switch first, err := b.Peek(1); {
			case errors.Is(err, io.EOF):
				return errEmpty
			case err != nil:
				return err
			case first[0] == '{':
				return readTraces(b, take)
			}
			return readTable(b, take)
		}()
		if err != nil && !errors.Is(err, errEnough) {
			yield(score.Result{}, err)
		}
	}
}

// errEnough is not for people: who reads wants no more.
var errEnough = errors.New("enough")

// maxWindow bounds what a zstd stream may ask to remember.
const maxWindow = 128 << 20

// decompress puts a decoder before what begins as compressed files do.
func decompress(b *bufio.Reader) (*bufio.Reader, func(), error) {
	magic, _ := b.Peek(4)
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReader(z), func() { _ = z.Close() }, nil
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReader(z), z.Close, nil
	}
	return b, func() {}, nil
}

// trace is what counts of a line of jsonl.
type trace struct {
	Schema  string     `json:"schema"`
	Target  netip.Addr `json:"target"`
	Replies []struct {
		TTL       int        `json:"ttl"`
		Responder netip.Addr `json:"responder"`
	} `json:"replies"`
}

func readTraces(b *bufio.Reader, take func(score.Result) bool) error {
	d := json.NewDecoder(b)
	for n := 1; ; n++ {
		var t trace
		if err := d.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("trace %d: %w", n, err)
		}
		if t.Schema != jsonl.Schema || !t.Target.IsValid() {
			return fmt.Errorf("trace %d: schema %q, target %q: want %q and an address", n, t.Schema, t.Target, jsonl.Schema)
		}
		for _, r := range t.Replies {
			if r.TTL < 1 || r.TTL > 255 || !r.Responder.IsValid() {
				return fmt.Errorf("trace %d: TTL %d answered by %q: want 1 to 255 and an address", n, r.TTL, r.Responder)
			}
			if !take(score.Result{Target: t.Target, TTL: r.TTL, From: r.Responder}) {
				return errEnough
			}
		}
	}
}

// readTable reads lines of comma-separated values with the columns target, ttl
// and responder, which csv and replies have.
func readTable(b *bufio.Reader, take func(score.Result) bool) error {
	r := csv.NewReader(b)
	r.ReuseRecord = true
	names, err := r.Read()
	if err != nil {
		return err
	}
	target, ttl, from := slices.Index(names, "target"), slices.Index(names, "ttl"), slices.Index(names, "responder")
	if min(target, ttl, from) < 0 {
		return fmt.Errorf("the first line is %.60q: want the output jsonl, csv or replies of hopquote survey", names)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		one, err := parseRow(row[target], row[ttl], row[from])
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
		if !take(one) {
			return errEnough
		}
	}
}

func parseRow(target, ttl, from string) (r score.Result, err error) {
	if r.Target, err = netip.ParseAddr(target); err != nil {
		return r, fmt.Errorf("target %q: want an address", target)
	}
	n, err := strconv.ParseUint(ttl, 10, 8)
	if err != nil || n == 0 {
		return r, fmt.Errorf("ttl %q: want 1 to 255", ttl)
	}
	r.TTL = int(n)
	if r.From, err = netip.ParseAddr(from); err != nil {
		return r, fmt.Errorf("responder %q: want an address", from)
	}
	return r, nil
}
