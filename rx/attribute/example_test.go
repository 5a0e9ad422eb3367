package attribute_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/attribute"
)

// A program that explains the replies of any capture, here one of raw IP.
func Example() {
	r, err := pcapgo.NewReader(exampleCapture())
	if err != nil {
		log.Fatal(err)
	}
	tracker := attribute.New(attribute.Config{Packets: 1 << 12, Bytes: 1 << 20})
	var res attribute.Result
	for {
		ip, info, err := r.ReadPacketData()
		if err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		tracker.Packet(time.Duration(info.Timestamp.UnixNano()), 0, ip, &res)
		if res.Class != attribute.Reply {
			continue
		}
		fmt.Println(res.Verdict, "from", res.Reply.From, "TTL", res.Cause.TTL, "after", res.RTT)
		for _, f := range res.Report.Fields {
			fmt.Println(" ", f.Name, "sent", f.Sent, "quoted", f.Quoted)
		}
	}
	// Output:
	// rewritten from 10.1.1.1 TTL 3 after 7ms
	//   dscp sent 0 quoted 8
}

// exampleCapture has a probe and the error of a router that quotes another TOS.
func exampleCapture() io.Reader {
	p := frame.Probe{Method: frame.UDP, Src: netip.MustParseAddr("10.9.9.1"), Dst: netip.MustParseAddr("10.2.2.2"),
		TTL: 3, ID: 5, Size: 40, SrcPort: 40000, DstPort: 33434}
	probe := build(&p)
	p.TTL, p.TOS = 1, 0x20
	m := frame.ErrorMessage{From: netip.MustParseAddr("10.1.1.1"), To: p.Src, TTL: 64, Type: 11, Quote: build(&p)}
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	_ = w.WriteFileHeader(65535, layers.LinkTypeRaw)
	for i, b := range [][]byte{probe, m.Append(nil)} {
		at := time.Unix(1, int64(i)*int64(7*time.Millisecond))
		_ = w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b), Length: len(b)}, b)
	}
	return &file
}

func build(p *frame.Probe) []byte {
	t, err := frame.NewTemplate(frame.Link{}, p)
	if err != nil {
		log.Fatal(err)
	}
	b := make([]byte, t.Len())
	return b[:t.Put(b, p)]
}
