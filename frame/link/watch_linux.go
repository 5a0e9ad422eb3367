package link

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Watcher reports when what an Envelope stands on goes away.
type Watcher struct {
	conn *netlink.Conn
	done chan struct{}
}

// Watch calls gone once, from a goroutine of its own, when the envelope's
// interface goes down or away, or when its source address is removed: probes
// would go on unanswered, and nothing else would tell. It needs no privilege.
func Watch(e Envelope, gone func(error)) (*Watcher, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{
		Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR,
	})
	if err != nil {
		return nil, opError("netlink", err)
	}
	w := &Watcher{conn: conn, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for {
			messages, err := conn.Receive()
			if errors.Is(err, unix.ENOBUFS) {
				continue // messages were lost; what matters will be missed by the probes too
			}
			if err != nil {
				return
			}
			for _, m := range messages {
				if err := e.lostBy(m); err != nil {
					gone(err)
					return
				}
			}
		}
	}()
	return w, nil
}

// Close ends the watch and its goroutine.
func (w *Watcher) Close() error {
	err := w.conn.Close()
	<-w.done
	return err
}

// lostBy says what the message takes away from the envelope.
func (e *Envelope) lostBy(m netlink.Message) error {
	switch m.Header.Type {
	case unix.RTM_DELLINK, unix.RTM_NEWLINK:
		var l rtnetlink.LinkMessage
		if l.UnmarshalBinary(m.Data) != nil || int(l.Index) != e.Interface.Index {
			return nil
		}
		if m.Header.Type == unix.RTM_DELLINK {
			return fmt.Errorf("interface %s was removed", e.Interface.Name)
		}
		if l.Flags&unix.IFF_UP == 0 {
			return fmt.Errorf("interface %s went down", e.Interface.Name)
		}
	case unix.RTM_DELADDR:
		var a rtnetlink.AddressMessage
		if a.UnmarshalBinary(m.Data) != nil || a.Attributes == nil {
			return nil
		}
		ip := a.Attributes.Local
		if ip == nil {
			ip = a.Attributes.Address
		}
		if addr, ok := netip.AddrFromSlice(ip); ok && addr.Unmap() == e.Src {
			return fmt.Errorf("source address %v was removed", e.Src)
		}
	}
	return nil
}
