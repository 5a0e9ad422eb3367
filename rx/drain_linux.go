package rx

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Drain hands every waiting packet to f: first those received, oldest first,
// then those injected. The Packet is the same each time, and valid with its
// Data only until f returns. f must not call Wait, Drain or Close.
//
// The receive times, which the kernel takes from the wall clock, are moved to
// the epoch by what both clocks say now: a step of the wall clock spoils only
// the packets that wait in the ring while it happens.
//
// An error other than net.ErrClosed means that the ring's memory makes no
// sense; the block in question is skipped from there on.
func (r *Ring) Drain(f func(*Packet)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return r.closedError()
	}
	now := time.Now()
	sinceEpoch := now.Sub(r.config.Epoch)
	shift := now.UnixNano() - int64(sinceEpoch)
	r.keepUp(sinceEpoch)
	var first error
	// Once around at most, so that a flood can't keep the caller in here.
	for range r.config.Blocks {
		block := r.memory[r.cursor*r.config.BlockSize:][:r.config.BlockSize]
		if !ready(block) {
			break
		}
		handed, outgoing, err := walk(block, shift, &r.packet, f)
		r.stats.handed.Add(uint64(handed))
		r.stats.outgoing.Add(uint64(outgoing))
		if err != nil && first == nil {
			first = fmt.Errorf("receive ring on %s: block %d: %w", r.config.Interface.Name, r.cursor, err)
		}
		giveBack(block)
		r.cursor = (r.cursor + 1) % r.config.Blocks
	}
	if r.elsewhere != nil {
		r.elsewhere.drain(&r.packet, now, f)
	}
	r.inbox.take(&r.packet, f)
	r.packet = Packet{}
	return first
}

// walk hands the packets of a block to f through p, and tells how many they
// were and how many it left out because this host sent them. shift is the epoch
// in nanoseconds of the wall clock.
//
// A block starts with struct tpacket_block_desc. Its first packet is at
// offset_to_first_pkt, each further one tp_next_offset after the start of the
// one before. A packet is struct tpacket3_hdr, padding, struct sockaddr_ll,
// and the frame at tp_mac (linux/if_packet.h and the kernel's packet_mmap
// document, "TPACKET_V3").
func walk(block []byte, shift int64, p *Packet, f func(*Packet)) (handed, outgoing uint32, err error) {
	head := blockHeader(block)
	at := uint64(head.Offset_to_first_pkt)
	count := head.Num_pkts
	for i := range count {
		h := packetHeader(block, at)
		if h == nil {
			return handed, outgoing, fmt.Errorf("packet %d of %d at offset %d is outside of %d bytes", i, count, at, len(block))
		}
		start := at + uint64(h.Mac)
		end := start + uint64(h.Snaplen)
		if end > uint64(len(block)) {
			return handed, outgoing, fmt.Errorf("packet %d of %d ends at offset %d, outside of %d bytes", i, count, end, len(block))
		}
		if block[at+packetTypeOffset] == unix.PACKET_OUTGOING {
			outgoing++
		} else {
			p.Data = block[start:end:end]
			p.At = time.Duration(int64(h.Sec)*int64(time.Second) + int64(h.Nsec) - shift)
			p.Offloaded = h.Status&unix.TP_STATUS_CSUMNOTREADY != 0 && h.Status&unix.TP_STATUS_CSUM_VALID == 0
			p.Local = false
			handed++
			f(p)
		}
		if h.Next_offset == 0 && i+1 < count {
			return handed, outgoing, fmt.Errorf("packet %d of %d at offset %d leads to none", i, count, at)
		}
		at += uint64(h.Next_offset)
	}
	return handed, outgoing, nil
}
