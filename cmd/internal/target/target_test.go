package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reader notes what it is told.
func reader(into *[]string) *Reader {
	return &Reader{
		Add: func(first, last netip.Addr) error {
			*into = append(*into, first.String()+"-"+last.String())
			return nil
		},
		Stdin: strings.NewReader("20.0.0.9\n"),
		Lookup: func(_ context.Context, host string) (netip.Addr, error) {
			if host != "host.example" {
				return netip.Addr{}, errors.New("no such host " + host)
			}
			return netip.MustParseAddr("20.7.7.7"), nil
		},
	}
}

func TestArgument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	list := "\ufeff20.0.0.0\n# ours\n20.0.0.1\n\n 20.0.0.2 # a host, once 20.0.0.3\n20.1.0.0/16,33434 x 2026-11-22 AS64500\n20.2.0.1-20.2.0.9\r\n2600::1\nhost.example\n"
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string][]string{
		"20.0.0.1":          {"20.0.0.1-20.0.0.1"},
		"::ffff:20.0.0.1":   {"20.0.0.1-20.0.0.1"},
		"20.0.0.0/8":        {"20.0.0.0-20.255.255.255"},
		"2600::/12":         {"2600::-260f:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		"20.0.0.1-20.0.0.9": {"20.0.0.1-20.0.0.9"},
		"host.example":      {"20.7.7.7-20.7.7.7"},
		"-":                 {"20.0.0.9-20.0.0.9"},
		file: {
			"20.0.0.0-20.0.0.0", "20.0.0.1-20.0.0.1", "20.0.0.2-20.0.0.2", "20.1.0.0-20.1.255.255", "20.2.0.1-20.2.0.9", "2600::1-2600::1",
			"20.7.7.7-20.7.7.7",
		},
	} {
		var got []string
		if err := reader(&got).Argument(context.Background(), arg); err != nil {
			t.Errorf("%s: %v", arg, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arg, diff)
		}
	}
}

func TestArgumentRefused(t *testing.T) {
	for arg, want := range map[string]string{
		"20.0.0.1/8":          "did you mean 20.0.0.0/8",
		"20.0.0.9-20.0.0.1":   "ends before it begins",
		"20.0.0.1-2600::1":    "different families",
		"20.0.0.1-x":          `"x" is no address`,
		"::ffff:20.0.0.0/104": "write it as IPv4",
		"fe80::1%eth0":        "zones",
		"fe80::1%a-fe80::2%a": "zones",
		"/no/such/file":       "list /no/such/file: no such file or directory",
		"other.example":       "no such host",
		"20.0.0.256!":         "want an address",
		"20.0.0.256":          `"20.0.0.256": want an address`,
		"020.0.0.1":           "want an address",
		"1.2.3.":              "want an address",
		"-host":               "want an address",
		"":                    `"": want an address`,
		"20.0.0.0/33":         `prefix 20.0.0.0/33: there is no length "33" for 20.0.0.0`,
		"20.0.0.0/":           `there is no length ""`,
		"2600::/129":          `there is no length "129"`,
		"20.0.0.256/24":       "no such file",
	} {
		var got []string
		err := reader(&got).Argument(context.Background(), arg)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", arg, err, want)
		}
		if len(got) > 0 {
			t.Errorf("%s: %v were added", arg, got)
		}
	}
}

// Errors in lists name the line.
func TestListRefused(t *testing.T) {
	for list, want := range map[string]string{
		"20.0.0.1\n20.0.0.1/3\n":                    "list, line 2: prefix",
		"20.0.0.1\n" + strings.Repeat("x", maxLine): "list, line 2: longer than 65536 bytes",
		strings.Repeat("!", 1000):                   `"` + strings.Repeat("!", 80) + `": want`,
		"20.0.0.1\n\x00\x01\x02\n":                  `list, line 2: "\x00\x01\x02": want an address`,
		"20.0.0.9 # 20.0.0.8\n20.0.0.1 20.0.0.2\n":  `list, line 2: "20.0.0.2" is a second item: want one in each line`,
		"20.0.0.1,20.0.0.0/24\n":                    `list, line 1: "20.0.0.0/24" is a second item`,
		"20.0.0.1 - 20.0.0.9\n":                     `list, line 1: "20.0.0.9" is a second item: want one in each line, and ranges without blanks`,
		"2600::1\tAS64500\t20.0.0.1/33,2600::\n":    `list, line 1: "2600::" is a second item`,
	} {
		var got []string
		err := reader(&got).List(context.Background(), "list", strings.NewReader(list))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", list, err, want)
		}
	}
}

// A list is read to its end although names in it can't be looked up; what is no
// name is refused.
func TestListLeavesOut(t *testing.T) {
	var got, left []string
	r := reader(&got)
	r.LeaveOut = func(place, host string, err error) { left = append(left, place+" "+host+" "+err.Error()) }
	if err := r.List(context.Background(), "list", strings.NewReader("gone.example\n20.0.0.1\nlost.example # a host\nhost.example\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"20.0.0.1-20.0.0.1", "20.7.7.7-20.7.7.7"}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{"list, line 1 gone.example no such host gone.example", "list, line 3 lost.example no such host lost.example"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
	left = nil
	if err := r.List(context.Background(), "list", strings.NewReader("20.0.0.300\n")); err == nil || left != nil {
		t.Errorf("error %v, left out %q", err, left)
	}
	if err := r.Argument(context.Background(), "gone.example"); err == nil || left != nil {
		t.Errorf("error %v, left out %q", err, left)
	}
}

// Host names are looked up side by side, each once in a while, and added in the
// order of the list.
func TestListTogether(t *testing.T) {
	const hosts = 3*manyHosts + 5
	var text strings.Builder
	var want []string
	for i := range hosts {
		fmt.Fprintf(&text, "h%d.example\nh0.example\n", i)
		a := fmt.Sprintf("20.7.%d.%d", i>>8, i&0xff)
		want = append(want, a+"-"+a, "20.7.0.0-20.7.0.0")
	}
	var got []string
	r := reader(&got)
	var asked, others atomic.Int64
	together := make(chan struct{})
	r.Lookup = func(_ context.Context, host string) (netip.Addr, error) {
		asked.Add(1)
		if others.Add(1) == atOnce {
			close(together)
		}
		<-together // none is answered before so many are asked for
		var i int
		_, err := fmt.Sscanf(host, "h%d.example", &i)
		return netip.AddrFrom4([4]byte{20, 7, byte(i >> 8), byte(i)}), err
	}
	if err := r.List(context.Background(), "list", strings.NewReader(text.String())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := asked.Load(); n < hosts || n >= 2*hosts {
		t.Errorf("%d of %d names asked for", n, hosts)
	}
}

// A line that can't be read is told before any name of the lines above is asked
// for.
func TestListReadFirst(t *testing.T) {
	var got []string
	r := reader(&got)
	r.Lookup = func(_ context.Context, host string) (netip.Addr, error) {
		t.Errorf("%s is asked for", host)
		return netip.Addr{}, nil
	}
	err := r.List(context.Background(), "list", strings.NewReader("host.example\n20.0.0.300\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "list, line 2: ") {
		t.Errorf("error %v", err)
	}
}

// Who mistypes a file's name is told that there is none.
func TestNeitherFileNorHost(t *testing.T) {
	var got []string
	r := reader(&got)
	r.Lookup = func(context.Context, string) (netip.Addr, error) {
		return netip.Addr{}, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	if err := r.Argument(context.Background(), "targtes.txt"); err == nil || !strings.Contains(err.Error(), "no file and no host") {
		t.Errorf("error %v", err)
	}
}

// Where no names may be, none are asked for.
func TestNoNames(t *testing.T) {
	var got []string
	r := reader(&got)
	r.Lookup = nil
	if err := r.Argument(context.Background(), "host.example"); err == nil || strings.Contains(err.Error(), "host name") ||
		!strings.Contains(err.Error(), "no file of that name") {
		t.Errorf("error %v", err)
	}
	if err := r.List(context.Background(), "list", strings.NewReader("host.example\n")); err == nil || strings.Contains(err.Error(), "host name") ||
		!strings.Contains(err.Error(), "want an address, a prefix or a range") {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"20.0.0.1", "20.0.0.0/8", "20.0.0.1-20.0.0.9", "2600::/12", "x", "-", "/", "::ffff:1.2.3.4", "fe80::1%a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, last, err := Parse(s)
		if err == nil && (!first.IsValid() || last.Less(first) || first.Is4() != last.Is4() || first.Is4In6() || first.Zone() != "") {
			t.Errorf("%q is %s to %s", s, first, last)
		}
	})
}
