package rx

import (
	"net"
	"testing"
	"time"
)

func TestRingConfigDefaults(t *testing.T) {
	c, err := RingConfig{Interface: &net.Interface{Index: 1, Name: "lo"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if c.BlockSize != 32<<10 || c.Blocks != 64 || c.Retire != time.Millisecond || c.Epoch.IsZero() {
		t.Errorf("defaults are %+v", c)
	}
	if s, err := (RingConfig{Interface: c.Interface, Profile: Survey, Blocks: 8}).withDefaults(); err != nil ||
		s.BlockSize != 256<<10 || s.Blocks != 8 || s.Retire != 10*time.Millisecond {
		t.Errorf("a survey with 8 blocks has %+v, error %v", s, err)
	}
	c.Retire = 2*time.Millisecond + 1
	if c, err = c.withDefaults(); err != nil || c.Retire != 3*time.Millisecond {
		t.Errorf("retire time %v, error %v; want 3ms", c.Retire, err)
	}
	r := Ring{config: c}
	if r.Lag() != 3*time.Millisecond || !r.Epoch().Equal(c.Epoch) {
		t.Errorf("lag %v, epoch %v; want 3ms, %v", r.Lag(), r.Epoch(), c.Epoch)
	}
}

func TestRingConfigErrors(t *testing.T) {
	ifi := &net.Interface{Index: 1, Name: "lo"}
	for name, c := range map[string]RingConfig{
		"no interface":          {},
		"unknown profile":       {Interface: ifi, Profile: 2},
		"negative block size":   {Interface: ifi, BlockSize: -4096},
		"crooked block size":    {Interface: ifi, BlockSize: 100_000},
		"block size too large":  {Interface: ifi, BlockSize: 2 << 30},
		"negative blocks":       {Interface: ifi, Blocks: -1},
		"too many blocks":       {Interface: ifi, Blocks: 1<<15 + 1},
		"negative retire time":  {Interface: ifi, Retire: -1},
		"retire time very long": {Interface: ifi, Retire: time.Hour},
	} {
		if r, err := OpenRing(c); err == nil {
			r.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
