package capture

import (
	"io"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Kind is pcapng as an output of surveys: probes and the replies to them, in
// the order in which they were noted. Replies that lay in the ring come after
// probes that left later; readers sort by time where they need to.
var Kind = record.Kind{Name: "pcapng", Help: "the frames of probes and replies", New: newSurveyWriter}

type surveyWriter struct {
	w   io.Writer
	enc *encoder
}

func newSurveyWriter(w io.Writer, run *record.Run) (record.Writer, error) {
	enc, err := newEncoder(run.Link, run.Interface, run.Start)
	if err != nil {
		return nil, err
	}
	s := &surveyWriter{w, enc}
	return s, s.put()
}

func (s *surveyWriter) Frame(at time.Duration, sent bool, f []byte) error {
	if err := s.enc.packet(at, f[:min(len(f), maxFrame)], len(f), sent); err != nil {
		return err
	}
	return s.put()
}

// put hands over what is ready, whole blocks, in one call.
func (s *surveyWriter) put() error {
	_, err := s.w.Write(s.enc.out)
	s.enc.out = s.enc.out[:0]
	return err
}

func (s *surveyWriter) Close(*record.End) error { return nil }
