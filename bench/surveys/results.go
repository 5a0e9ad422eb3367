package surveys

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/bench/simnet/internet/score"
)

// reader hands over the replies of an output, one by one.
type reader func(in io.Reader, each func(score.Result)) error

// readers are those of the outputs of hopquote survey that are read here.
var readers = map[string]reader{"replies": readReplies, "jsonl": readTraces}

// readFile is a reader of a file.
func readFile(path string, read reader, each func(score.Result)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(bufio.NewReaderSize(f, 1<<20), each)
}

// readReplies reads lines that begin with target, TTL, flow, attempt and
// responder.
func readReplies(in io.Reader, each func(score.Result)) error {
	lines := bufio.NewScanner(in)
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			continue // the names
		}
		r, err := parseReply(lines.Text())
		if err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		each(r)
	}
	return lines.Err()
}

func parseReply(line string) (r score.Result, err error) {
	target, rest, _ := strings.Cut(line, ",")
	ttl, rest, _ := strings.Cut(rest, ",")
	_, rest, _ = strings.Cut(rest, ",")
	_, rest, _ = strings.Cut(rest, ",")
	responder, _, ok := strings.Cut(rest, ",")
	if !ok {
		return r, fmt.Errorf("%q is no reply", line)
	}
	if r.Target, err = netip.ParseAddr(target); err != nil {
		return r, err
	}
	if r.TTL, err = strconv.Atoi(ttl); err != nil {
		return r, err
	}
	r.From, err = netip.ParseAddr(responder)
	return r, err
}

// readTraces reads a JSON object for every trace.
func readTraces(in io.Reader, each func(score.Result)) error {
	return eachObject(in, func(t *struct {
		Target  netip.Addr `json:"target"`
		Replies []struct {
			TTL       int        `json:"ttl"`
			Responder netip.Addr `json:"responder"`
		} `json:"replies"`
	},
	) {
		for _, r := range t.Replies {
			each(score.Result{Target: t.Target, TTL: r.TTL, From: r.Responder})
		}
	})
}

// scamperTrace is one of scamper's objects.
type scamperTrace struct {
	Type  string     `json:"type"`
	Dst   netip.Addr `json:"dst"`
	Sport uint16     `json:"sport"`
	Dport uint16     `json:"dport"`
	Hops  []struct {
		Addr netip.Addr `json:"addr"`
		TTL  int        `json:"probe_ttl"`
	} `json:"hops"`
}

// readScamper reads what scamper writes as JSON, and hands over each trace too.
func readScamper(in io.Reader, trace func(*scamperTrace), each func(score.Result)) error {
	return eachObject(in, func(t *scamperTrace) {
		if t.Type != "trace" {
			return
		}
		trace(t)
		for _, h := range t.Hops {
			each(score.Result{Target: t.Dst, TTL: h.TTL, From: h.Addr})
		}
	})
}

func eachObject[T any](in io.Reader, each func(*T)) error {
	d := json.NewDecoder(in)
	for {
		var t T
		err := d.Decode(&t)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		each(&t)
	}
}
