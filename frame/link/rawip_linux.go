package link

import "golang.org/x/sys/unix"

// openRawIP opens the socket for packets to this host. The kernel takes frames
// that a packet socket puts on loopback for martians, so these go through its
// IP layer instead, which leaves the header as built but for an IPv4
// identification of 0, total length and header checksum (raw(7)).
func openRawIP(e *Envelope) (_ *batch, err error) {
	domain := unix.AF_INET
	if e.Dst.Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_RAW)
	if err != nil {
		return nil, opError("socket", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if e.Dst.Is6() {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_HDRINCL, 1); err != nil {
			return nil, opError("setsockopt IPV6_HDRINCL", err)
		}
	} else if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_HDRINCL, 1); err != nil {
		return nil, opError("setsockopt IP_HDRINCL", err)
	}
	if e.Mark != 0 {
		if err := setMark(fd, e.Mark); err != nil {
			return nil, err
		}
	}
	if e.Bound != "" {
		if err := unix.BindToDevice(fd, e.Bound); err != nil {
			return nil, opError("setsockopt SO_BINDTODEVICE", err)
		}
	}
	dst := e.Dst
	if isScoped(dst) {
		dst = dst.WithZone(e.Zone)
	}
	peer, err := sockaddr("connect", dst, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, peer); err != nil {
		return nil, opError("connect", err)
	}
	b := newBatch(fd)
	b.skip = e.Header.Type.HeaderLen()
	return b, nil
}
