package surveys

import (
	"encoding/json"
	"fmt"
	"os"
)

// MetadataSuffix is what the file of a survey's --metadata ends in, behind the
// name of its output.
const MetadataSuffix = ".meta"

// Metadata is as much of it as is held against the truth.
type Metadata struct {
	Complete bool `json:"complete"`
	Result   struct {
		Drops uint64 `json:"kernel_drops_total"`
	} `json:"result"`
	// KnownBytes is what the hops take that mode adaptive knows.
	KnownBytes uint64 `json:"hops_known_bytes"`
	Counts     struct {
		Sent      uint64 `json:"sent"`
		Answered  uint64 `json:"answered"`
		Expired   uint64 `json:"expired"`
		InFlight  uint64 `json:"in_flight"`
		Received  uint64 `json:"received"`
		Matched   uint64 `json:"matched"`
		Duplicate uint64 `json:"duplicate"`
		Late      uint64 `json:"late"`
		Stray     uint64 `json:"stray"`
	} `json:"counts"`
}

// ReadMetadata reads that of a run with an output, and removes it.
func ReadMetadata(output string) (m Metadata, err error) {
	path := output + MetadataSuffix
	text, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("metadata: %w", err)
	}
	return m, os.Remove(path)
}

// contradictions are the counts that do not add up.
func (m *Metadata) contradictions() (list []string) {
	c := &m.Counts
	if !m.Complete {
		list = append(list, "it says that it is not complete")
	}
	if sum := c.Answered + c.Expired + c.InFlight; sum != c.Sent {
		list = append(list, fmt.Sprintf("sent %d, but answered, expired and in flight are %d", c.Sent, sum))
	}
	if sum := c.Matched + c.Duplicate + c.Late + c.Stray; sum != c.Received {
		list = append(list, fmt.Sprintf("received %d, but matched, duplicate, late and stray are %d", c.Received, sum))
	}
	return list
}

// recorded is how many replies belong into the output.
func (m *Metadata) recorded() uint64 { return m.Counts.Matched + m.Counts.Duplicate + m.Counts.Late }
