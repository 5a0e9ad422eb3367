// Package atlas writes traces as RIPE Atlas publishes its traceroute results:
// one JSON object per line.
package atlas

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Kind is the format. Fields that only the platform can give (msm_id, prb_id
// and the like) are left out.
var Kind = record.Kind{Name: "atlas", Help: "as RIPE Atlas traceroute results, one object per trace", New: newWriter}

type trace struct {
	Firmware  int    `json:"fw"`
	MVer      string `json:"mver"`
	EndTime   int64  `json:"endtime"`
	DstName   string `json:"dst_name"`
	DstAddr   string `json:"dst_addr"`
	SrcAddr   string `json:"src_addr"`
	From      string `json:"from"`
	Proto     string `json:"proto"`
	AF        int    `json:"af"`
	Size      int    `json:"size"`
	ParisID   uint16 `json:"paris_id"`
	Result    []hop  `json:"result"`
	Timestamp int64  `json:"timestamp"`
	MsmName   string `json:"msm_name"`
	Type      string `json:"type"`
}

type hop struct {
	Hop    uint8   `json:"hop"`
	Result []reply `json:"result"`
}

// The version that the layout is of.
const (
	firmware = 5020
	mver     = "2.2.1"
)

type writer struct {
	w    io.Writer
	run  *record.Run
	line bytes.Buffer
	enc  *json.Encoder
}

func newWriter(w io.Writer, run *record.Run) (record.Writer, error) {
	a := &writer{w: w, run: run}
	a.enc = json.NewEncoder(&a.line)
	a.enc.SetEscapeHTML(false)
	return a, nil
}

func (a *writer) Close(*record.End) error { return nil }

func (a *writer) Trace(t *record.Trace) error {
	src := a.run.Src(t.Target).String()
	out := trace{
		Firmware: firmware, MVer: mver,
		EndTime: a.run.Start.Add(end(t)).Unix(), Timestamp: a.run.Start.Add(t.Start()).Unix(),
		DstName: t.Target.String(), DstAddr: t.Target.String(), SrcAddr: src, From: src,
		Proto: proto(a.run.Method), AF: 4, Size: payload(a.run, t), ParisID: t.Flow + 1,
		Result: hops(a.run, t), MsmName: "Traceroute", Type: "traceroute",
	}
	if t.Target.Is6() {
		out.AF = 6
	}
	a.line.Reset()
	if err := a.enc.Encode(&out); err != nil {
		return err
	}
	_, err := a.w.Write(a.line.Bytes())
	return err
}

func proto(m frame.Method) string {
	switch m {
	case frame.ICMP:
		return "ICMP"
	case frame.TCP:
		return "TCP"
	}
	return "UDP"
}

// payload is how many bytes a probe has behind its transport header, which is
// what the platform calls size.
func payload(run *record.Run, t *record.Trace) int {
	p := frame.Probe{Method: run.Method, Src: run.Src(t.Target), Dst: t.Target}
	return max(run.Size(t.Target)-p.HeaderLen(), 0)
}

// end is when the last thing of a trace happened.
func end(t *record.Trace) time.Duration {
	last := t.Start()
	for i := range t.Probes {
		last = max(last, t.Probes[i].SentAt)
	}
	for i := range t.Replies {
		last = max(last, t.Replies[i].At)
	}
	return last
}
