package ground

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// knockEvery is the time between two knocks, a frame that means nothing (the
// EtherType is the first for local experiments, IEEE 802) and is none of the
// counted ones.
const (
	knockEvery = 200 * time.Millisecond
	knockType  = 0x88b5
)

// knock sends knocks to the prober until the function that it gives is called.
// Libpcap wakes some programs only when a block fills or a packet follows: on a
// link that is as quiet as this one they would never end.
func (g *Ground) knock() (stop func(), err error) {
	var conn *packet.Conn
	var from net.HardwareAddr
	err = g.Host(internet.Far).Do(func() error {
		ifi, err := net.InterfaceByName(internet.FarLink)
		if err != nil {
			return err
		}
		from = ifi.HardwareAddr
		conn, err = packet.Listen(ifi, packet.Raw, 0, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("knock at the prober: %w", err)
	}
	to := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	frame := append(append(append([]byte{}, to...), from...), knockType>>8, knockType&0xff)
	frame = append(frame, make([]byte, 46)...)
	end := make(chan struct{})
	var task sync.WaitGroup
	task.Go(func() {
		ticker := time.NewTicker(knockEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_, _ = conn.WriteTo(frame, &packet.Addr{HardwareAddr: to}) // a lost one is followed by another
			case <-end:
				return
			}
		}
	})
	return func() { close(end); task.Wait(); conn.Close() }, nil
}
