package link

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// Neighbours finds the link addresses of many next hops, each once: by rule, in
// the kernel's table, or by asking all of them at once, as often as the kernel
// would and until ctx ends at most. Those that are missing from what it gives
// did not answer. It needs CAP_NET_RAW to ask.
//
// The envelopes, by family and nil for none, are of one interface. Where its
// frames have no link addresses there is one for everybody.
func Neighbours(ctx context.Context, envelopes [2]*Envelope, hops []netip.Addr) (map[netip.Addr][6]byte, error) {
	e := envelopes[0]
	if e == nil {
		e = envelopes[1]
	}
	known := make(map[netip.Addr][6]byte, len(hops))
	if e.Local || e.Header.Type.HeaderLen() != ethernetLen {
		for _, hop := range hops {
			known[hop] = [6]byte{}
		}
		return known, nil
	}
	k, err := openKernel()
	if err != nil {
		return nil, err
	}
	defer k.close()
	d, err := k.device(e.Interface.Index)
	if err != nil {
		return nil, err
	}
	var unknown [2][]netip.Addr // by family
	for _, hop := range hops {
		mac, ok, err := k.address(&d, e, hop)
		switch {
		case err != nil:
			return nil, err
		case ok:
			known[hop] = mac
		case hop.Is4():
			unknown[0] = append(unknown[0], hop)
		default:
			unknown[1] = append(unknown[1], hop)
		}
	}
	var asked []*inquiry
	defer func() {
		for _, q := range asked {
			q.conn.Close()
		}
	}()
	for f, hops := range unknown {
		if len(hops) == 0 {
			continue
		}
		from := envelopes[f]
		if from == nil {
			from = e
		}
		q, err := openInquiry(from, hops)
		if err != nil {
			return nil, err
		}
		asked = append(asked, q)
	}
	var all sync.WaitGroup
	for _, q := range asked {
		all.Go(func() { q.run(ctx) })
	}
	all.Wait()
	for _, q := range asked {
		for hop, mac := range q.found {
			known[hop] = mac
		}
	}
	return known, nil
}

// address gives a next hop's link address where nobody must be asked.
func (k *kernel) address(d *device, e *Envelope, hop netip.Addr) (mac [6]byte, known bool, err error) {
	if mac, known = groupMAC(hop); known {
		return mac, true, nil
	}
	if d.flags&flagLoopback == 0 {
		// Before the rules: an administrator may have entered an address even
		// where nobody asks for one.
		if mac, known, err = k.neighbour(d.Index, hop); known || err != nil {
			return mac, known, err
		}
	}
	mac, known = fixedMAC(d.flags, e.Header.Src)
	return mac, known, nil
}

// inquiry asks for many next hops of one family.
type inquiry struct {
	conn      *packet.Conn
	v6        bool
	hops      []netip.Addr
	questions map[netip.Addr][]byte
	tries     int
	interval  time.Duration

	mu    sync.Mutex
	found map[netip.Addr][6]byte
	all   chan struct{} // closed when all are found
}

// openInquiry opens it. It does not ask yet.
func openInquiry(e *Envelope, hops []netip.Addr) (*inquiry, error) {
	q := &inquiry{
		v6: hops[0].Is6(), hops: hops, questions: make(map[netip.Addr][]byte, len(hops)),
		found: make(map[netip.Addr][6]byte), all: make(chan struct{}),
	}
	to := *e
	to.NextHop = hops[0]
	src := soliciting(&to)
	for _, hop := range hops {
		var err error
		if q.questions[hop], err = solicitation(e.Header.Src, src, hop); err != nil {
			return nil, fmt.Errorf("ask for %v: %w", hop, err)
		}
	}
	family, etherType, anybody := "ipv4", unix.ETH_P_ARP, netip.IPv4Unspecified()
	if q.v6 {
		family, etherType, anybody = "ipv6", unix.ETH_P_IPV6, netip.IPv6Unspecified()
	}
	q.tries, q.interval = solicitTimes(family, e.Interface.Name)
	filter, err := answerFilter(anybody)
	if err != nil {
		return nil, err
	}
	ifi := &net.Interface{Index: e.Interface.Index}
	if q.conn, err = packet.Listen(ifi, packet.Raw, etherType, &packet.Config{Filter: filter}); err != nil {
		return nil, opError("socket", err)
	}
	return q, nil
}

// Questions leave in small bursts, so that the answers find room.
const (
	inquiryBurst = 16
	inquiryPause = time.Millisecond
)

// run asks until all are found, everybody was asked often enough, or ctx ends.
func (q *inquiry) run(ctx context.Context) {
	var reading sync.WaitGroup
	stop := make(chan struct{})
	reading.Go(func() { q.read(stop) })
	defer func() {
		close(stop)
		q.conn.Close()
		reading.Wait()
	}()
	for range q.tries {
		timer := time.After(q.interval)
		for i, hop := range q.missing() {
			if i%inquiryBurst == inquiryBurst-1 {
				time.Sleep(inquiryPause)
			}
			if ctx.Err() != nil {
				return
			}
			// A question that can't leave is one that nobody answers.
			f := q.questions[hop]
			_, _ = q.conn.WriteTo(f, &packet.Addr{HardwareAddr: f[:6]})
		}
		select {
		case <-q.all:
			return
		case <-ctx.Done():
			return
		case <-timer:
		}
	}
}

// missing are those that have not answered yet.
func (q *inquiry) missing() []netip.Addr {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(q.hops), func(hop netip.Addr) bool { _, ok := q.found[hop]; return ok })
}

// read takes answers in until stop and the socket are closed.
func (q *inquiry) read(stop <-chan struct{}) {
	buf := make([]byte, 512)
	for {
		n, _, err := q.conn.ReadFrom(buf)
		if err != nil { // such as an interface that went down
			select {
			case <-stop:
				return
			case <-time.After(inquiryPause):
			}
			continue
		}
		hop, ok := answering(buf[:n], q.v6)
		if _, ours := q.questions[hop]; !ok || !ours {
			continue
		}
		mac, ok := answer(buf[:n], hop)
		if !ok {
			continue
		}
		q.mu.Lock()
		if _, again := q.found[hop]; !again {
			q.found[hop] = mac
			if len(q.found) == len(q.questions) {
				close(q.all)
			}
		}
		q.mu.Unlock()
	}
}
