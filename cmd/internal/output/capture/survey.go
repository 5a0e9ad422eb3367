package capture

import (
	"fmt"
	"io"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
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

func (s *surveyWriter) Frame(f *record.Frame) error {
	if err := s.enc.packet(f.At, f.Data[:min(len(f.Data), maxFrame)], len(f.Data), f.Sent, f.By); err != nil {
		return err
	}
	return s.put()
}

// State implements record.Resumer: the interfaces that the file knows, by
// number.
func (s *surveyWriter) State() (state []byte) {
	state = pack.Uint(state, uint64(len(s.enc.others)))
	for _, name := range s.enc.others {
		state = pack.Bytes(state, []byte(name))
	}
	return state
}

// Resume implements record.Resumer.
func (s *surveyWriter) Resume(state []byte) error {
	if len(state) == 0 {
		return nil // of a version that knew one interface only
	}
	r := pack.NewReader(state)
	for range r.Count(1) {
		if _, err := s.enc.number(string(r.Bytes())); err != nil {
			return err
		}
	}
	s.enc.out = s.enc.out[:0] // the file has them
	if err := r.End(); err != nil {
		return fmt.Errorf("interfaces before: %w", err)
	}
	return nil
}

// put hands over what is ready, whole blocks, in one call.
func (s *surveyWriter) put() error {
	_, err := s.w.Write(s.enc.out)
	s.enc.out = s.enc.out[:0]
	return err
}

func (s *surveyWriter) Close(*record.End) error { return nil }
