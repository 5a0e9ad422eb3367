package frame

// SameShape tells whether p and q have the same Shape, in less time than making
// it takes.
func (p *Probe) SameShape(q *Probe) bool {
	return p.Src == q.Src && p.Size == q.Size && p.Method == q.Method && p.TOS == q.TOS && p.DF == q.DF &&
		p.Payload == q.Payload && p.Fixed == q.Fixed && p.NoChecksum == q.NoChecksum && p.Coverage == q.Coverage &&
		p.Service == q.Service && p.Protocol == q.Protocol && p.TCP == q.TCP && p.Body == q.Body &&
		p.Route == q.Route && (p.Dst == q.Dst || p.Route.IsZero())
}
