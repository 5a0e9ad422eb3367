package link

// nextHop is where a family's frames go.
type nextHop struct {
	v6       bool
	mac      [6]byte // unless it comes through queue
	queue    *queue  // nil where the address was known from the start
	resolver *resolver
}

// resolved tells whether nothing has to be queued any more.
func (h *nextHop) resolved() bool { return h.queue == nil || h.queue.ready.Load() }

// address is the link address, which is known.
func (h *nextHop) address() [6]byte {
	if h.queue != nil {
		return h.queue.mac
	}
	return h.mac
}

// resolved tells it of all next hops.
func (s *Sender) resolved() bool {
	for i := range s.hops {
		if !s.hops[i].resolved() {
			return false
		}
	}
	return true
}

// addresses are those of one or two next hops, of either family then.
type addresses struct {
	mac [2][6]byte
	two bool
	v6  bool // that of the second
	// hops, where it is set, has them all, in place of mac.
	hops *Hops
}

// of gives the address that an Ethernet frame goes to, without hops.
func (a *addresses) of(f []byte) []byte {
	if a.two && isIPv6(f) == a.v6 {
		return a.mac[1][:]
	}
	return a.mac[0][:]
}

// follow takes the next hops from a table. Where that has one for each family
// at most, nothing has to be looked up.
func (s *Sender) follow(h *Hops) {
	if h.many {
		s.to.hops = h
		return
	}
	for f, number := range h.first {
		if number != nowhere {
			s.hops = append(s.hops, nextHop{v6: f == 1, mac: h.macs[number]})
		}
	}
}

// addresses are those of all next hops, which are known.
func (s *Sender) addresses() *addresses {
	a := &s.to
	a.two = len(s.hops) > 1
	for i := range s.hops {
		a.mac[i], a.v6 = s.hops[i].address(), s.hops[i].v6
	}
	return a
}

// isIPv6 reads the EtherType.
func isIPv6(f []byte) bool { return f[12] == 0x86 && f[13] == 0xdd }

// run gives the next hop of the first frame, and the frames from there on that
// go to the same.
func (s *Sender) run(frames [][]byte) (*nextHop, [][]byte) {
	if len(s.hops) < 2 {
		return &s.hops[0], frames
	}
	of := func(f []byte) int {
		if len(f) >= ethernetLen && isIPv6(f) == s.hops[1].v6 {
			return 1
		}
		return 0 // where one that is too short is refused
	}
	first, n := of(frames[0]), 1
	for n < len(frames) && of(frames[n]) == first {
		n++
	}
	return &s.hops[first], frames[:n]
}
