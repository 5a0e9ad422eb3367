package frame

// Conceal gives p room for what nobody can guess who has not seen it, without
// touching its flow, and tells whether there is any: a Sum in UDP, UDP-Lite and
// ICMP, and a Mark beside it in ICMP, whose replies bring no more back, and over
// IPv6, which has no identification. It takes two bytes of payload, or six, and
// changes neither Size nor Coverage: a p that is too small, or has NoChecksum,
// is left as it is. The caller draws Sum and Mark; the Sum of ICMP probes is in
// their flow.
func (p *Probe) Conceal() bool {
	q := *p
	q.Fixed = true
	if q.Method == ICMP || q.IsIPv6() {
		q.Payload = PayloadMark
	}
	if !q.Method.takesMark() || q.NoChecksum || q.Size < q.LeastSize() || q.checkKeyed(q.Size) != nil {
		return false
	}
	*p = q
	return true
}
