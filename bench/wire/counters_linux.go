package wire

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/bench/lab"
)

// Counters are what an interface has counted: proc_pid_net(5), dev.
type Counters struct {
	Received, ReceiveDropped uint64 // frames
	Sent, SendDropped        uint64 // frames
}

// Columns of /proc/net/dev behind the interface's name.
const (
	receivedColumn       = 1
	receiveDroppedColumn = 3
	sentColumn           = 9
	sendDroppedColumn    = 11
	columns              = 16
)

// Read reads the counters of a host's interface.
func Read(h *lab.Host, name string) (Counters, error) {
	var text []byte
	err := h.Do(func() error {
		var err error
		text, err = os.ReadFile("/proc/thread-self/net/dev")
		return err
	})
	if err != nil {
		return Counters{}, fmt.Errorf("read the counters of %s: %w", name, err)
	}
	return parse(text, name)
}

func parse(text []byte, name string) (c Counters, err error) {
	for line := range bytes.Lines(text) {
		label, rest, ok := strings.Cut(string(line), ":")
		if !ok || strings.TrimSpace(label) != name {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < columns {
			break
		}
		for column, to := range map[int]*uint64{
			receivedColumn: &c.Received, receiveDroppedColumn: &c.ReceiveDropped,
			sentColumn: &c.Sent, sendDroppedColumn: &c.SendDropped,
		} {
			if *to, err = strconv.ParseUint(fields[column], 10, 64); err != nil {
				return Counters{}, fmt.Errorf("read the counters of %s: %w", name, err)
			}
		}
		return c, nil
	}
	return Counters{}, fmt.Errorf("read the counters: there is no interface %s", name)
}

// Since gives what came after an earlier reading.
func (c Counters) Since(before Counters) Counters {
	return Counters{
		Received: c.Received - before.Received, ReceiveDropped: c.ReceiveDropped - before.ReceiveDropped,
		Sent: c.Sent - before.Sent, SendDropped: c.SendDropped - before.SendDropped,
	}
}
