package asn

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// zone is a DNS zone of TXT records. Names that it doesn't have do not exist,
// names with no records are broken.
type zone struct {
	records map[string][]string

	mu    sync.Mutex
	asked []string
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	z.asked = append(z.asked, name)
	z.mu.Unlock()
	texts, ok := z.records[name]
	switch {
	case !ok:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case len(texts) == 0:
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return texts, nil
}

const (
	question4 = "1.1.1.10.origin.asn.cymru.com."
	question6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.origin6.asn.cymru.com."
)

func TestCymru(t *testing.T) {
	z := &zone{records: map[string][]string{
		question4:                        {"100 | 10.0.0.0/8 | ZZ | arin |", "200 300 | 10.1.0.0/16 | ZZ | arin |"},
		question6:                        {"64500 | 2001:db8::/32 | ZZ | apnic |"},
		"9.9.9.10.origin.asn.cymru.com.": nil,
	}}
	s := open(t, "cymru", Config{TXT: z})
	for a, want := range map[string]string{
		"10.1.1.1": "AS200/AS300", "2001:db8::1": "AS64500", "10.2.2.2": "*", "10.9.9.9": "!!",
	} {
		if got := lookupOne(t, s, a); got.String() != want {
			t.Errorf("%s: got %q, want %q", a, got, want)
		}
	}
	if s.Name() != "cymru" || len(z.asked) != 4 {
		t.Errorf("source %q asked for %q", s.Name(), z.asked)
	}
}

func TestCymruOtherZones(t *testing.T) {
	z := &zone{records: map[string][]string{"1.1.1.10.v4.test.": {"1 | 10.0.0.0/8 |"}}}
	s := open(t, "cymru", Config{TXT: z, Zone: "v4.test", Zone6: "v6.test."})
	if got := lookupOne(t, s, "10.1.1.1"); got.String() != "AS1" {
		t.Errorf("got %q, want AS1", got)
	}
	lookupOne(t, s, "::")
	want := []string{"1.1.1.10.v4.test.", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.v6.test."}
	if diff := cmp.Diff(want, z.asked); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
}

type deaf struct{}

func (deaf) LookupTXT(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A dead name server costs the bound once, and Start nothing.
func TestCymruTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "cymru", Config{TXT: deaf{}, Timeout: time.Second})
		began := time.Now()
		s.Start(addr("10.1.1.1"))
		s.Start(addr("10.2.2.2"))
		if took := time.Since(began); took != 0 {
			t.Errorf("Start took %v, want 0", took)
		}
		for _, a := range []string{"10.1.1.1", "10.2.2.2"} {
			if got := lookupOne(t, s, a); got.String() != "!!" {
				t.Errorf("got %q, want !!", got)
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}
