package frame

// The search rule of Linux traceroute. It is older than routers' length fields
// and doesn't look at them.
const (
	classicRead   = 1280                               // bytes of a message that are looked at
	classicLeast  = minOriginal + 2*extensionHeaderLen // bytes that hold a quote, a header and an object
	classicStepV4 = 4                                  // bytes between the places that are tried
	classicStepV6 = 8
)

// ClassicExtensions gives the RFC 4884 extension structure that Linux
// traceroute shows for an error, or nil: a valid one, 128 bytes into the
// quote. sent is the size in bytes of the probe. If no more than that came
// back, the router may not have cut its quote at 128 bytes, and every word
// further on is tried, every second one in IPv6. The message's own length
// field is not looked at. The slice is part of r.Body.
func (r *Reply) ClassicExtensions(sent int) []byte {
	step := classicStepV4
	if r.From.Is6() {
		step = classicStepV6
	}
	body := r.Body[:min(len(r.Body), classicRead)]
	if len(body) < classicLeast || !r.mayExtend() {
		return nil
	}
	if len(body) > sent {
		step = len(body)
	}
	for at := minOriginal; at < len(body); at += step {
		if Valid(body[at:]) == nil {
			return body[at:]
		}
	}
	return nil
}

// mayExtend tells whether messages of the reply's type have extensions (RFC
// 4884 section 4).
func (r *Reply) mayExtend() bool {
	if r.From.Is6() {
		return r.Type == icmpv6Unreachable || r.Type == icmpv6TimeExceeded
	}
	return r.Type == icmpv4Unreachable || r.Type == icmpv4TimeExceeded || r.Type == icmpv4ParamProblem
}
