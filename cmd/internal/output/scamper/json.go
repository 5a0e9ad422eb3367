package scamper

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// JSON is the format of scamper -O json.
var JSON = record.Kind{Name: "scamper-json", Help: "as scamper -O json: one object per trace", New: newJSON}

const listName = "default"

// cycle is the first and the last line.
type cycle struct {
	Type      string `json:"type"`
	ListName  string `json:"list_name"`
	ID        int    `json:"id"`
	Hostname  string `json:"hostname"`
	StartTime int64  `json:"start_time,omitempty"`
	StopTime  int64  `json:"stop_time,omitempty"`
}

type jsonTrace struct {
	Type       string    `json:"type"`
	Version    string    `json:"version"`
	UserID     int       `json:"userid"`
	Method     string    `json:"method"`
	Src        string    `json:"src"`
	Dst        string    `json:"dst"`
	SrcPort    *uint16   `json:"sport,omitempty"`
	DstPort    *uint16   `json:"dport,omitempty"`
	StopReason string    `json:"stop_reason"`
	StopData   uint8     `json:"stop_data"`
	Start      jsonTime  `json:"start"`
	HopCount   uint16    `json:"hop_count"`
	Attempts   int       `json:"attempts"`
	HopLimit   uint8     `json:"hoplimit"`
	FirstHop   uint8     `json:"firsthop"`
	Wait       int       `json:"wait"`
	WaitProbe  int       `json:"wait_probe"`
	TOS        uint8     `json:"tos"`
	ProbeSize  int       `json:"probe_size"`
	ProbeCount uint16    `json:"probe_count"`
	Hops       []jsonHop `json:"hops,omitempty"`
}

type jsonTime struct {
	Sec   int64  `json:"sec"`
	Usec  int64  `json:"usec"`
	FTime string `json:"ftime,omitempty"`
}

type jsonHop struct {
	Addr      string          `json:"addr"`
	ProbeTTL  uint8           `json:"probe_ttl"`
	ProbeID   int             `json:"probe_id"`
	ProbeSize int             `json:"probe_size"`
	Tx        jsonTime        `json:"tx"`
	RTT       json.RawMessage `json:"rtt"`
	ReplyTTL  uint8           `json:"reply_ttl"`
	ReplyTOS  uint8           `json:"reply_tos"`
	ReplyID   uint16          `json:"reply_ipid"`
	ReplySize int             `json:"reply_size"`
	Type      *uint8          `json:"icmp_type,omitempty"`
	Code      *uint8          `json:"icmp_code,omitempty"`
	QuoteTTL  *uint8          `json:"icmp_q_ttl,omitempty"`
	QuoteLen  *int            `json:"icmp_q_ipl,omitempty"`
	QuoteTOS  *uint8          `json:"icmp_q_tos,omitempty"`
	MTU       uint32          `json:"icmp_nhmtu,omitempty"`
	Flags     *uint8          `json:"tcp_flags,omitempty"`
	Ext       []jsonObject    `json:"icmpext,omitempty"`
}

type jsonObject struct {
	Class  uint8       `json:"ie_cn"`
	Type   uint8       `json:"ie_ct"`
	Len    int         `json:"ie_dl"`
	Data   string      `json:"ie_data,omitempty"` // in hex; not for MPLS
	Labels []jsonLabel `json:"mpls_labels,omitempty"`
}

type jsonLabel struct {
	TTL   uint8  `json:"mpls_ttl"`
	S     int    `json:"mpls_s"`
	Exp   uint8  `json:"mpls_exp"`
	Label uint32 `json:"mpls_label"`
}

type jsonWriter struct {
	w    io.Writer
	run  *record.Run
	line bytes.Buffer
	enc  *json.Encoder
	hops []jsonHop
}

func newJSON(w io.Writer, run *record.Run) (record.Writer, error) {
	j := &jsonWriter{w: w, run: run}
	j.enc = json.NewEncoder(&j.line)
	j.enc.SetEscapeHTML(false)
	return j, j.put(cycle{Type: "cycle-start", ListName: listName, Hostname: run.Host, StartTime: run.Start.Unix()})
}

// put writes a value as one line, in one call.
func (j *jsonWriter) put(v any) error {
	j.line.Reset()
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	_, err := j.w.Write(j.line.Bytes())
	return err
}

func (j *jsonWriter) Close(end *record.End) error {
	return j.put(cycle{Type: "cycle-stop", ListName: listName, Hostname: j.run.Host, StopTime: j.run.Start.Add(end.At).Unix()})
}

func (j *jsonWriter) Trace(t *record.Trace) error {
	v := newView(j.run, t)
	size := j.run.Size(t.Target)
	out := jsonTrace{
		Type: "trace", Version: "0.1", Method: typeNames[v.kind],
		Src: j.run.Src(t.Target).String(), Dst: t.Target.String(),
		StopReason: stopNames[v.stop], StopData: v.stopData, Start: localTime(v.start),
		HopCount: v.hopCount, Attempts: j.run.Attempts, HopLimit: j.run.Max, FirstHop: j.run.First,
		Wait: seconds(j.run.Timeout), TOS: j.run.TOS, ProbeSize: size, ProbeCount: v.probes,
	}
	if j.run.Method.HasPorts() {
		out.SrcPort, out.DstPort = &t.SrcPort, &j.run.DstPort
	}
	j.hops = j.hops[:0]
	for i := range v.replies {
		j.hops = append(j.hops, j.hop(&v.replies[i], size))
	}
	out.Hops = j.hops
	return j.put(&out)
}

func (j *jsonWriter) hop(r *record.Reply, size int) jsonHop {
	h := jsonHop{
		Addr: r.From.String(), ProbeTTL: r.TTL, ProbeID: int(r.Attempt) + 1, ProbeSize: size,
		Tx: bareTime(sent(j.run, r)), RTT: milliseconds(r.RTT),
		ReplyTTL: r.TTLBack, ReplyTOS: r.TOSBack, ReplyID: r.ID, ReplySize: r.Size,
	}
	switch {
	case r.Kind == frame.KindTCP:
		h.Flags = &r.Flags
	case r.Kind.IsError() || r.Kind == frame.KindEchoReply:
		h.Type, h.Code = &r.Type, &r.Code
	}
	if r.Kind.IsError() && r.Quoted > 0 {
		h.QuoteTTL, h.QuoteLen = &r.QuoteTTL, &r.QuoteLength
		if r.Target.Is4() {
			h.QuoteTOS = &r.QuoteTOS
		}
		h.MTU = r.MTU
	}
	h.Ext = extensions(r.Ext)
	return h
}

func extensions(ext []byte) []jsonObject {
	var list []jsonObject
	objects := frame.Objects(ext)
	for o, ok := objects.Next(); ok; o, ok = objects.Next() {
		object := jsonObject{Class: o.Class, Type: o.Type, Len: len(o.Data)}
		if o.Class == frame.ClassMPLS && o.Type == frame.TypeMPLSIncoming {
			object.Labels = labels(o.Data)
		} else {
			object.Data = hex.EncodeToString(o.Data)
		}
		list = append(list, object)
	}
	return list
}

func labels(data []byte) []jsonLabel {
	var list []jsonLabel
	walker := frame.Labels(data)
	for l, ok := walker.Next(); ok; l, ok = walker.Next() {
		label := jsonLabel{TTL: l.TTL, Exp: l.Exp, Label: l.Label}
		if l.Bottom {
			label.S = 1
		}
		list = append(list, label)
	}
	return list
}

// milliseconds has three decimals, as scamper's.
func milliseconds(d time.Duration) json.RawMessage {
	return strconv.AppendFloat(nil, float64(d.Round(time.Microsecond))/float64(time.Millisecond), 'f', 3, 64)
}

func bareTime(t time.Time) jsonTime {
	return jsonTime{Sec: t.Unix(), Usec: int64(t.Nanosecond() / 1000)}
}

func localTime(t time.Time) jsonTime {
	j := bareTime(t)
	j.FTime = t.Local().Format(time.DateTime)
	return j
}
