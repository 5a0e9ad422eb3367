package quotes

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/bench/simnet"
	"github.com/hopquote/hopquote/frame"
)

// play sends probes of every method to the path of a script, in memory, and
// captures them with what answers.
func play(t *testing.T, script *simnet.Script, dst4, dst6 bool) *capture {
	c := newCapture(t)
	r := simnet.NewResponder(script, [6]byte{2, 0, 0, 0, 0, 2})
	link := frame.Link{Type: frame.LinkEthernet, Src: [6]byte{2, 0, 0, 0, 0, 1}, Dst: [6]byte{2, 0, 0, 0, 0, 2}}
	for i := range 120 {
		probes := []frame.Probe{}
		if dst4 {
			probes = append(probes, udp4(), icmp4(), tcp4())
		}
		if dst6 {
			probes = append(probes, udp6())
		}
		for k := range probes {
			p := &probes[k]
			p.TTL = uint8(1 + i/3)
			p.ID += uint16(7 * i)
			p.Seq += uint32(i)
			p.SrcPort += uint16(i)
			if p.IsIPv6() {
				p.ID = 0
			}
			if p.Method == frame.ICMP {
				p.SrcPort = 4242
			}
			tmpl, err := frame.NewTemplate(link, p)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, tmpl.Len())
			b = b[:tmpl.Put(b, p)]
			c.add(b[14:])
			frames, _ := r.Respond(time.Duration(i)*10*time.Millisecond, b, nil)
			for _, f := range frames {
				c.add(f.Data[14:])
			}
		}
	}
	return c
}

// Every script of testdata: whatever its routers do, each reply is attributed
// to the probe right before it, or its message can't be read; sums balance.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/scripts/*.sim")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	replies := 0
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sim"), func(t *testing.T) {
			script, err := simnet.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			o := jsonl(t, play(t, script, true, true).save())
			if o.status != 0 {
				t.Fatalf("exit %d: %s", o.status, o.stderr)
			}
			last := 0
			for _, r := range o.of("reply") {
				replies++
				for _, a := range r.Anomalies {
					seen[a] = true
				}
				if r.ProbePkt == nil {
					if !slices.Contains([]string{"malformed", "foreign", "spoofed", "ambiguous", "stray"}, r.Verdict) {
						t.Errorf("packet %d: %s without a probe", r.Packet, r.Verdict)
					}
					continue
				}
				if *r.ProbePkt >= r.Packet || *r.ProbePkt < last {
					t.Errorf("packet %d is attributed to %d, after %d: %s %v", r.Packet, *r.ProbePkt, last, r.Verdict, r.Anomalies)
				}
				last = *r.ProbePkt
			}
		})
	}
	if replies < 1000 {
		t.Errorf("%d replies of all scripts, want more", replies)
	}
	for _, a := range []string{"ttl", "dscp", "id-swapped", "id-plus-one", "id-zero", "length-swapped", "length-short",
		"ip-checksum", "checksum-zero", "duplicate", "reply-checksum", "other-address"} {
		if !seen[a] {
			t.Errorf("no script showed %s", a)
		}
	}
}
