package link_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
)

// watch watches the envelope of dst inside the host; the channel gets what is
// reported as gone.
func watch(t *testing.T, h *lab.Host, want link.Want) (*link.Watcher, <-chan error) {
	t.Helper()
	e := lookup(t, h, want)
	gone := make(chan error, 10)
	var w *link.Watcher
	in(t, h, func() (err error) { w, err = link.Watch(e, func(err error) { gone <- err }); return err })
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-gone:
			t.Errorf("reported without need, or twice: %v", err)
		default:
		}
	})
	return w, gone
}

func TestWatch(t *testing.T) {
	h1Addr := func(s string) func(*lab.Net) error {
		return func(n *lab.Net) error { return n.Host("h1").DeleteAddress("veth1-h1", netip.MustParsePrefix(s)) }
	}
	for _, tt := range []struct {
		name string
		want link.Want
		lose func(n *lab.Net) error
		lost string
	}{
		{"down", link.Want{Dst: addr("192.168.120.20")},
			func(n *lab.Net) error { return n.Host("h1").SetLink("veth1-h1", false) }, "interface veth1-h1 went down"},
		{"removed", link.Want{Dst: addr("fd00:120::20")},
			func(n *lab.Net) error { return n.Host("h1").DeleteLink("veth1-h1") }, "interface veth1-h1 was removed"},
		{"other end removed", link.Want{Dst: addr("192.168.100.20")},
			func(n *lab.Net) error { return n.Host("r1").DeleteLink("veth1-r1") }, "interface veth1-h1 was removed"},
		{"other end down", link.Want{Dst: addr("192.168.100.20")},
			func(n *lab.Net) error { return n.Host("r1").SetLink("veth1-r1", false) }, "interface veth1-h1 lost its carrier"},
		{"source", link.Want{Dst: addr("192.168.120.20")}, h1Addr("192.168.100.10/24"), "source address 192.168.100.10 was removed"},
		{"source, IPv6", link.Want{Dst: addr("fd00:120::20")}, h1Addr("fd00:100::10/64"), "source address fd00:100::10 was removed"},
		{"source of a local path", link.Want{Dst: addr("192.168.100.10")}, h1Addr("192.168.100.10/24"), "source address 192.168.100.10 was removed"},
		{"loopback", link.Want{Dst: addr("127.0.0.1")},
			func(n *lab.Net) error { return n.Host("h1").SetLink("lo", false) }, "interface lo went down"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := openLine(t)
			w, gone := watch(t, n.Host("h1"), tt.want)
			if err := w.Lost(); err != nil {
				t.Fatalf("lost from the start: %v", err)
			}
			if err := tt.lose(n); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-gone:
				if err.Error() != tt.lost {
					t.Errorf("reported %q, want %q", err, tt.lost)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("nothing is reported")
			}
			if err := w.Lost(); err == nil || err.Error() != tt.lost {
				t.Errorf("lost: %v, want %q", err, tt.lost)
			}
		})
	}
}

// TestWatchIgnores changes what the envelope does not stand on, and at last
// what it does: nothing before that may have been reported.
func TestWatchIgnores(t *testing.T) {
	n := openLine(t)
	h1 := n.Host("h1")
	own := netip.MustParsePrefix("192.168.100.10/24")
	steps := []func() error{
		func() error { return h1.AddAddress("veth1-h1", netip.MustParsePrefix("192.168.100.99/24")) },
		func() error { return h1.DeleteAddress("veth1-h1", netip.MustParsePrefix("192.168.100.99/24")) },
		func() error { return h1.SetMTU("veth1-h1", 1400) },
		func() error { return h1.SetLink("lo", false) },
		func() error { return h1.SetLink("lo", true) },
		// The address moves: it is never without an interface.
		func() error { return h1.AddAddress("lo", netip.MustParsePrefix("192.168.100.10/32")) },
		func() error { return h1.DeleteAddress("veth1-h1", own) },
	}
	w, gone := watch(t, h1, link.Want{Dst: addr("192.168.100.20")})
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if err := w.Lost(); err != nil {
			t.Errorf("step %d: lost: %v", i, err)
		}
	}
	if err := h1.DeleteAddress("lo", netip.MustParsePrefix("192.168.100.10/32")); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err.Error() != "source address 192.168.100.10 was removed" {
		t.Errorf("reported %v", err)
	}
}

// TestWatchZone removes a link-local address from another interface than the
// one that the envelope means.
func TestWatchZone(t *testing.T) {
	n := openLine(t)
	r1 := n.Host("r1")
	same := netip.MustParsePrefix("fe80::77/64")
	for _, name := range []string{"veth1-r1", "veth2-r1"} {
		if err := r1.AddAddress(name, same); err != nil {
			t.Fatal(err)
		}
	}
	w, gone := watch(t, r1, link.Want{Dst: addr("fe80::1%veth1-r1"), Src: addr("fe80::77%veth1-r1")})
	if err := r1.DeleteAddress("veth2-r1", same); err != nil {
		t.Fatal(err)
	}
	if err := w.Lost(); err != nil {
		t.Errorf("lost: %v", err)
	}
	if err := r1.DeleteAddress("veth1-r1", same); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err.Error() != "source address fe80::77 was removed" {
		t.Errorf("reported %v", err)
	}
}

// TestWatchUnlistedSource has a source that is usable without being listed:
// removing the address that it is part of says nothing of it.
func TestWatchUnlistedSource(t *testing.T) {
	n := openLine(t)
	w, _ := watch(t, n.Host("h1"), link.Want{Dst: addr("127.0.0.1"), Src: addr("127.0.0.9")})
	if err := w.Lost(); err != nil {
		t.Errorf("lost: %v", err)
	}
}

// TestWatchUnprivileged needs no capability.
func TestWatchUnprivileged(t *testing.T) {
	n := openLine(t)
	err := withCaps(n.Host("h1"), nil, func() error {
		e, err := link.Lookup(link.Want{Dst: addr("192.168.120.20")})
		if err != nil {
			return err
		}
		w, err := link.Watch(e, func(err error) { t.Error(err) })
		if err != nil {
			return err
		}
		return errors.Join(w.Lost(), w.Close())
	})
	if err != nil {
		t.Error(err)
	}
}
