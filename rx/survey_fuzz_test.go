package rx

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/hopquote/hopquote/frame"
)

// couldMatch tells, by what the codec reads, whether r can be the reply to a
// probe of the method from f.local with one of the survey tests' ports.
func (f family) couldMatch(r *frame.Reply, m frame.Method) bool {
	key, ok := r.Key()
	if !ok || unfit(r) != ReasonNone || frame.Method(key>>32) != m || r.To != f.local {
		return false
	}
	if port := uint16(key >> 16); port < firstPort || port > lastPort {
		return false
	}
	return !r.Kind.IsError() || r.Quote.Src == f.local
}

// What the codec and a match table could accept passes the survey filter, and
// what the exact one keeps is a reply by the codec's reading.
func FuzzSurveyFilter(f *testing.F) {
	for m := frame.UDP; m <= frame.DCCP; m++ {
		for _, fam := range []family{ipv4, ipv6} {
			quote := portProbe(f, fam, m, firstPort)
			seeds := [][]byte{
				fam.errorAbout(frame.LinkRaw, fam.exceeded, fam.local, quote),
				fam.answerTo(frame.LinkRaw, m, fam.local, lastPort),
			}
			if fam.local.Is4() {
				seeds = append(seeds, withOptions(fam.errorAbout(frame.LinkRaw, 3, fam.local, withOptions(quote, 0, 8)), 0, 4))
			} else {
				// Destination options of 8 bytes before the message, and in the quote.
				q := slices.Insert(patch(quote, 6, protoDstOptions), 40, quote[6], 0, 1, 4, 0, 0, 0, 0)
				e := fam.errorAbout(frame.LinkRaw, fam.exceeded, fam.local, q)
				seeds = append(seeds, e, slices.Insert(patch(patch(e, 6, protoDstOptions), 5, e[5]+8), 40, protoICMPv6, 0, 1, 4, 0, 0, 0, 0))
			}
			for _, b := range seeds {
				f.Add(b, uint8(m)-1)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, method uint8) {
		m := frame.Method(method%uint8(frame.DCCP)) + 1
		s := SurveyFilter{Local4: ipv4.local, Local6: ipv6.local, Method: m, SrcPorts: [2]uint16{firstPort, lastPort}}
		run := func(p func() ([]bpf.RawInstruction, error)) bool {
			code, err := p()
			n, err := surveyVM(t, code, err).Run(b)
			if err != nil {
				t.Fatal(err)
			}
			return n > 0
		}
		kept, exact := run(s.Program), run(s.Exact)
		var r frame.Reply
		frame.Decode(b, frame.LinkRaw, true, &r)
		fam := ipv4
		if r.To.Is6() {
			fam = ipv6
		}
		// A quote of the other family is a translator's doing and no match.
		could := fam.couldMatch(&r, m) && (!r.Kind.IsError() || r.Quote.Src.Is6() == r.To.Is6())
		if could && !kept {
			t.Errorf("%s: the filter drops %x", m, b)
		}
		if exact && !kept {
			t.Errorf("%s: only the exact filter keeps %x", m, b)
		}
		broken := r.Kind <= frame.KindMalformed || r.Kind.IsError() && (r.Quote.Malformed || r.Quote.Transport < 8)
		if exact && !could && !broken && (!r.Kind.IsError() || r.Quote.Src == fam.local) {
			t.Errorf("%s: the exact filter keeps %x", m, b)
		}
	})
}
