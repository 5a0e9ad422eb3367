package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// resolver finds the link-layer address of one next hop as the kernel does:
// its table first, then solicitations. The kernel's own soliciting (NTF_USE)
// would need CAP_NET_ADMIN; these need CAP_NET_RAW only.
type resolver struct {
	kernel   *kernel
	conn     *packet.Conn
	index    int
	nextHop  netip.Addr
	question []byte
	group    [6]byte
	tries    int
	interval time.Duration
	closed   sync.Once
}

// openResolver opens all that resolving needs, in the caller's namespace: the
// resolving itself happens on other threads. It takes k over.
func openResolver(k *kernel, e *Envelope) (*resolver, error) {
	r := &resolver{kernel: k, index: e.Interface.Index, nextHop: e.NextHop, group: broadcastMAC}
	var err error
	if r.question, err = solicitation(e.Header.Src, soliciting(e), e.NextHop); err != nil {
		return nil, err
	}
	family, etherType := "ipv4", unix.ETH_P_ARP
	if e.NextHop.Is6() {
		family, etherType = "ipv6", unix.ETH_P_IPV6
		r.group, _ = groupMAC(solicitedNode(e.NextHop))
	}
	r.tries, r.interval = solicitTimes(family, e.Interface.Name)
	filter, err := answerFilter(e.NextHop)
	if err != nil {
		return nil, err
	}
	ifi := &net.Interface{Index: e.Interface.Index}
	if r.conn, err = packet.Listen(ifi, packet.Raw, etherType, &packet.Config{Filter: filter}); err != nil {
		return nil, opError("socket", err)
	}
	return r, nil
}

// solicitTimes are how often the kernel asks on an interface before it gives up,
// and how long it waits each time.
func solicitTimes(family, name string) (tries int, interval time.Duration) {
	dir := fmt.Sprintf("/proc/sys/net/%s/neigh/%s/", family, name)
	return sysctl(dir+"mcast_solicit", 3), max(time.Duration(sysctl(dir+"retrans_time_ms", 1000))*time.Millisecond, minRetrans)
}

// minRetrans is the least time between two solicitations: HZ/100 in the kernel.
const minRetrans = 10 * time.Millisecond

// soliciting chooses the source of a solicitation: the envelope's if it can
// speak for it on that link, else the interface's link-local address.
func soliciting(e *Envelope) netip.Addr {
	if e.NextHop.Is4() {
		return e.Src
	}
	var linkLocal netip.Addr
	if ifi, err := net.InterfaceByIndex(e.Interface.Index); err == nil {
		addrs, _ := ifi.Addrs()
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			switch {
			case err != nil:
			case p.Addr() == e.Src && e.Src.Is6():
				return e.Src
			case p.Addr().Is6() && p.Addr().IsLinkLocalUnicast():
				linkLocal = p.Addr()
			}
		}
	}
	switch {
	case linkLocal.IsValid():
		return linkLocal
	case e.Src.Is6():
		return e.Src
	}
	return netip.IPv6Unspecified()
}

// sysctl reads one number, or gives otherwise where there is none.
func sysctl(path string, otherwise int) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// resolve runs one cycle: mcast_solicit solicitations, retrans_time_ms apart,
// given up after the last interval. It returns early when ctx ends.
func (r *resolver) resolve(ctx context.Context) (mac [6]byte, ok bool) {
	stop := context.AfterFunc(ctx, func() { r.conn.Close() })
	defer stop()
	to := &packet.Addr{HardwareAddr: r.group[:]}
	for range r.tries {
		if mac, ok, _ = r.kernel.neighbour(r.index, r.nextHop); ok {
			return mac, true
		}
		// A solicitation that can't leave is one that nobody answers.
		_, _ = r.conn.WriteTo(r.question, to)
		if mac, ok = r.listen(ctx, time.Now().Add(r.interval)); ok || ctx.Err() != nil {
			return mac, ok
		}
	}
	return mac, false
}

// listen waits for an answer until the time given.
func (r *resolver) listen(ctx context.Context, until time.Time) (mac [6]byte, ok bool) {
	buf := make([]byte, 512)
	if err := r.conn.SetReadDeadline(until); err != nil {
		return mac, false
	}
	for {
		n, _, err := r.conn.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			return mac, false
		}
		if err != nil {
			// Such as an interface that went down: sit the interval out.
			select {
			case <-time.After(time.Until(until)):
			case <-ctx.Done():
			}
			return mac, false
		}
		if mac, ok = answer(buf[:n], r.nextHop); ok {
			return mac, true
		}
	}
}

// answered is how long a resolver that has its answer stays open.
const answered = time.Second

// resolveOnce closes the resolver a while after it has an answer: its filter
// would go on looking at each packet received. Neither the probes nor the end
// of a short run wait for that, since closing a packet socket takes some 10 ms.
func (r *resolver) resolveOnce(ctx context.Context) (mac [6]byte, ok bool) {
	if mac, ok = r.resolve(ctx); ok {
		time.AfterFunc(answered, r.close)
	}
	return mac, ok
}

// close may be called from several goroutines; each returns when all is closed.
func (r *resolver) close() {
	r.closed.Do(func() {
		r.conn.Close()
		r.kernel.close()
	})
}
