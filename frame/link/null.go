package link

// null is an output that throws frames away.
type null struct{}

func (null) send(frames [][]byte) (int, error) { return len(frames), nil }
func (null) close() error                      { return nil }
