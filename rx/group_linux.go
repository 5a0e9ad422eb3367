package rx

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Group is rings that share the replies of one interface, one for each shard
// of a run: PACKET_FANOUT (packet(7)) hands every packet to exactly one of them, by the
// source port or echo identifier of the probe that it answers, see ShardOf.
//
// What does not tell it, or tells it behind IPv6 extension headers, goes to
// ring 0, in the limits of its filter; what tells another, since a translator
// changed it, to any. Who reads the rings hands such replies over
// (scheduler.Shards). If the interface goes down and comes up
// again, the shards stay as they are. A ring that is closed alone leaves the
// others with the wrong packets.
type Group struct {
	Rings []*Ring // by shard
}

// maxGroup is how many sockets a fanout group has at most (PACKET_FANOUT_MAX).
const maxGroup = 256

// OpenGroup opens a ring for each config, 256 at most, of the same interface and
// link type, as OpenRing does. Where no Epoch is given, all have the same. No
// ring receives anything before all shards stand.
func OpenGroup(configs ...RingConfig) (*Group, error) {
	if len(configs) < 1 || len(configs) > maxGroup {
		return nil, fmt.Errorf("open group of receive rings: %d rings, need 1..%d", len(configs), maxGroup)
	}
	g := &Group{}
	if err := g.open(configs); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *Group) open(configs []RingConfig) error {
	now := time.Now()
	id := 0
	for i, c := range configs {
		first := configs[0]
		if c.Interface != nil && (c.Interface.Index != first.Interface.Index || c.Link != first.Link) {
			return fmt.Errorf("open group of receive rings: ring %d is for %s and link type %d, need %s and %d as ring 0",
				i, c.Interface.Name, c.Link, first.Interface.Name, first.Link)
		}
		if c.Epoch.IsZero() {
			c.Epoch = now
		}
		c.Filter = dropAll
		r, err := OpenRing(c)
		if err != nil {
			return err
		}
		g.Rings = append(g.Rings, r)
		if id, err = r.join(id, i == 0); err != nil {
			return fmt.Errorf("open receive ring on %s: join the group: %w", c.Interface.Name, err)
		}
	}
	if err := g.Rings[0].steer(len(configs)); err != nil {
		return fmt.Errorf("open receive ring on %s: %w", configs[0].Interface.Name, err)
	}
	for i, r := range g.Rings {
		r.config.Filter = configs[i].Filter
		filter := configs[i].Filter
		if len(filter) == 0 {
			filter = keepAll
		}
		if err := r.conn.SetBPF(filter); err != nil {
			return fmt.Errorf("open receive ring on %s: %w", configs[i].Interface.Name, err)
		}
	}
	return nil
}

// Filters of one instruction, RET.
var (
	dropAll = []bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K}}
	keepAll = []bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K, K: snapLen}}
)

// Close closes all rings.
func (g *Group) Close() error {
	var errs []error
	for _, r := range g.Rings {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// Stats adds up those of all rings.
func (g *Group) Stats() (RingStats, error) {
	var sum RingStats
	var errs []error
	for _, r := range g.Rings {
		c, err := r.Stats()
		errs = append(errs, err)
		sum.Received += c.Received
		sum.Drops += c.Drops
		sum.Frozen += c.Frozen
		sum.Handed += c.Handed
		sum.Outgoing += c.Outgoing
	}
	return sum, errors.Join(errs...)
}

// join makes the ring a member of the fanout group with the id, or of a new
// group whose id no other has. It gives the group's id.
//
// The group and not its sockets says whether packets going out are left out.
// Kernels before 6.2 do not listen: such packets come to some ring, and Drain
// skips them by their type.
func (r *Ring) join(id int, isNew bool) (int, error) {
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = control(raw, func(fd int) (err error) {
		id, err = join(fd, id, isNew)
		return err
	})
	return id, err
}

func join(fd, id int, isNew bool) (int, error) {
	mode := unix.PACKET_FANOUT_CBPF | unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING
	if isNew {
		mode |= unix.PACKET_FANOUT_FLAG_UNIQUEID
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, id|mode<<16); err != nil {
		return id, os.NewSyscallError("setsockopt PACKET_FANOUT", err)
	}
	if !isNew {
		return id, nil
	}
	// The id is the lower half of what describes the group.
	group, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	return group & 0xffff, os.NewSyscallError("getsockopt PACKET_FANOUT", err)
}

// steer gives the ring's group its program.
func (r *Ring) steer(shards int) error {
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error { return steer(fd, shards) })
}

func steer(fd, shards int) error {
	code, err := steering(shards)
	if err != nil {
		return err
	}
	return attach(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, "PACKET_FANOUT_DATA", code)
}
