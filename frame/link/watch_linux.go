package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Watcher reports when what an Envelope stands on goes away.
type Watcher struct {
	envelope Envelope
	news     *netlink.Conn
	kernel   *kernel
	done     chan struct{}

	// What there was when the watch began. An address may be usable without
	// being in the kernel's list, as all of 127.0.0.0/8.
	carrier, listed bool
}

// Watch calls gone once, from a goroutine of its own, when the envelope's
// interface goes down, away or loses its carrier, or when its source address
// is removed: probes would go on unanswered, and nothing else would tell. It
// needs no privilege, and stays in the calling thread's namespace.
func Watch(e Envelope, gone func(error)) (*Watcher, error) {
	w := &Watcher{envelope: e, done: make(chan struct{})}
	var err error
	if w.kernel, err = openKernel(); err != nil {
		return nil, err
	}
	w.news, err = netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{
		Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR,
	})
	if err != nil {
		w.kernel.close()
		return nil, opError("socket", err)
	}
	d, err := w.kernel.device(e.Interface.Index)
	w.carrier = err == nil && d.flags&unix.IFF_LOWER_UP != 0
	listed, err := w.sourceListed()
	w.listed = err == nil && listed
	go w.run(gone)
	return w, nil
}

func (w *Watcher) run(gone func(error)) {
	defer close(w.done)
	for {
		messages, err := w.news.Receive()
		// With ENOBUFS some were lost: look what has become of it all.
		missed := errors.Is(err, unix.ENOBUFS)
		if err != nil && !missed {
			return
		}
		if !missed && !slices.ContainsFunc(messages, w.concerned) {
			continue
		}
		if lost := w.Lost(); lost != nil {
			gone(lost)
			return
		}
	}
}

// Close ends the watch and its goroutine.
func (w *Watcher) Close() error {
	err := w.news.Close()
	w.kernel.close()
	<-w.done
	return err
}

// Lost asks the kernel what is gone at this moment; nil if everything is as
// it was. Messages alone could not tell an interface that went down from one
// that went away, or a removed address from one that was only moved.
func (w *Watcher) Lost() error {
	name := w.envelope.Interface.Name
	d, err := w.kernel.device(w.envelope.Interface.Index)
	switch {
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("interface %s was removed", name)
	case err != nil:
		return nil
	case d.flags&unix.IFF_UP == 0:
		return fmt.Errorf("interface %s went down", name)
	case w.carrier && d.flags&unix.IFF_LOWER_UP == 0:
		return fmt.Errorf("interface %s lost its carrier", name)
	}
	if listed, err := w.sourceListed(); err == nil && !listed && w.listed {
		return fmt.Errorf("source address %v was removed", w.envelope.Src)
	}
	return nil
}

// concerned tells whether a message is about the envelope's interface or
// source address.
func (w *Watcher) concerned(m netlink.Message) bool {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		var l rtnetlink.LinkMessage
		return l.UnmarshalBinary(m.Data) == nil && int(l.Index) == w.envelope.Interface.Index
	case unix.RTM_DELADDR:
		addr, _ := addressOf(m)
		return addr == w.envelope.Src
	}
	return false
}

// sourceListed tells whether an interface has the source address: the one of
// its zone, if it means nothing elsewhere.
func (w *Watcher) sourceListed() (bool, error) {
	header := make([]byte, unix.SizeofIfAddrmsg)
	header[0] = family(w.envelope.Src)
	messages, err := w.kernel.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETADDR, Flags: netlink.Request | netlink.Dump},
		Data:   header,
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(messages, func(m netlink.Message) bool {
		addr, index := addressOf(m)
		return addr == w.envelope.Src && w.inZone(index)
	}), nil
}

func (w *Watcher) inZone(index int) bool {
	if !isScoped(w.envelope.Src) {
		return true
	}
	d, err := w.kernel.device(index)
	return err == nil && d.Name == w.envelope.Zone
}

// addressOf reads a message about an interface's address. On point-to-point
// links the own one is the "local" one.
func addressOf(m netlink.Message) (addr netip.Addr, index int) {
	var a rtnetlink.AddressMessage
	if a.UnmarshalBinary(m.Data) != nil || a.Attributes == nil {
		return netip.Addr{}, 0
	}
	ip := a.Attributes.Local
	if ip == nil {
		ip = a.Attributes.Address
	}
	addr, _ = netip.AddrFromSlice(ip)
	return addr.Unmap(), int(a.Index)
}
