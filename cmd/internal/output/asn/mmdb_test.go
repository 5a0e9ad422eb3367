package asn

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func geolite(n uint32) map[string]any {
	return map[string]any{"autonomous_system_number": n, "autonomous_system_organization": "Example"}
}

func ipinfo(word string) map[string]any {
	return map[string]any{"asn": word, "as_name": "Example", "as_domain": "example.net", "country_code": "ZZ"}
}

var sampleNetworks = networks{
	"10.1.0.0/16":   geolite(200),
	"10.2.0.0/17":   ipinfo("AS4200000000"),
	"10.3.0.0/16":   ipinfo(""),
	"10.4.0.0/16":   ipinfo("64501"),
	"10.5.0.0/16":   ipinfo("AS\x1b[2J"),
	"10.6.0.0/16":   geolite(0),
	"10.7.0.0/16":   {"autonomous_system_number": "AS7"}, // of the wrong type
	"10.8.0.0/16":   {"country": map[string]any{"iso_code": "ZZ"}},
	"2001:db8::/32": geolite(64500),
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "as.mmdb")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestMMDB(t *testing.T) {
	want := map[string]Result{
		"10.1.1.1":        result("10.1.0.0/16", "AS200"),
		"::ffff:10.1.2.3": result("10.1.0.0/16", "AS200"),
		"10.2.2.2":        result("10.2.0.0/17", "AS4200000000"),
		"10.3.3.3":        {},
		"10.4.4.4":        result("10.4.0.0/16", "AS64501"),
		"10.5.5.5":        {},
		"10.6.6.6":        {},
		"10.7.7.7":        {Failed: true},
		"10.8.8.8":        {},
		"10.9.9.9":        {},
		"192.0.2.1":       {},
		"2001:db8::1":     result("2001:db8::/32", "AS64500"),
		"2001:db9::1":     {},
	}
	for _, size := range []int{24, 28, 32} {
		s := open(t, "mmdb:"+write(t, build("GeoLite2-ASN", 6, size, sampleNetworks)), Config{})
		for a, want := range want {
			if diff := cmp.Diff(want, lookupOne(t, s, a), comparePrefixes); diff != "" {
				t.Errorf("records of %d bits, %s (-want +got):\n%s", size, a, diff)
			}
		}
		if built := time.Unix(1700000000, 0).UTC(); s.Name() != "mmdb" || s.Built() != built {
			t.Errorf("got %q built %v, want mmdb built %v", s.Name(), s.Built(), built)
		}
	}
}

func TestMMDBOfIPv4(t *testing.T) {
	s := open(t, "mmdb:"+write(t, build("asn", 4, 24, networks{"10.0.0.0/8": ipinfo("AS1")})), Config{})
	for a, want := range map[string]string{"10.1.1.1": "AS1", "11.1.1.1": "*", "fd00::1": "*"} {
		if got := lookupOne(t, s, a); got.String() != want {
			t.Errorf("%s: got %q, want %q", a, got, want)
		}
	}
}

// AS numbers behind many networks without any, and behind too many.
func TestMMDBWithLateNumbers(t *testing.T) {
	entries := networks{"203.0.113.0/24": geolite(1)}
	for i := range 255 {
		entries[fmt.Sprintf("10.0.%d.0/24", i)] = ipinfo("")
	}
	s := open(t, "mmdb:"+write(t, build("asn", 6, 28, entries)), Config{})
	if got := lookupOne(t, s, "203.0.113.9"); got.String() != "AS1" {
		t.Errorf("got %q, want AS1", got)
	}
	entries["10.0.255.0/24"] = ipinfo("")
	if _, err := newDatabase("as.mmdb", build("asn", 6, 28, entries)); err == nil || !strings.Contains(err.Error(), "has no AS numbers") {
		t.Errorf("256 records before the first number: got error %v, want no AS numbers", err)
	}
	// In IPv6 only, and an empty one.
	open(t, "mmdb:"+write(t, build("asn", 6, 28, networks{"10.0.0.0/8": ipinfo(""), "2001:db8::/32": geolite(1)})), Config{})
	open(t, "mmdb:"+write(t, build("asn", 6, 28, networks{})), Config{})
}

func TestOpenErrors(t *testing.T) {
	good := build("GeoLite2-ASN", 6, 28, sampleNetworks)
	city := build("City\x1b[2J\n", 6, 28, networks{"10.0.0.0/8": {"city": map[string]any{"geoname_id": uint32(5)}}})
	metadata := bytes.LastIndex(good, []byte("MaxMind.com"))
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	sparse := write(t, nil)
	if err := os.Truncate(sparse, maxDatabase+1); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, spec, want string }{
		{"empty", "", `AS source "": must be whois, cymru or mmdb:FILE`},
		{"unknown", "bgp\n", `AS source "bgp\n": must be`},
		{"whois with a file", "whois:x", "must be whois"},
		{"no file", "mmdb:", "must be whois"},
		{"only mmdb", "mmdb", "must be whois"},
		{"missing", "mmdb:/nonexistent/as.mmdb", "AS database: stat /nonexistent/as.mmdb: no such file or directory"},
		{"directory", "mmdb:" + t.TempDir(), "not a regular file"},
		{"pipe", "mmdb:" + fifo, "not a regular file"},
		{"device", "mmdb:/dev/zero", "not a regular file"},
		{"too large", "mmdb:" + sparse, "1073741825 bytes, at most 1073741824 are read"},
		{"nothing in it", "mmdb:" + write(t, nil), "not an MMDB file or damaged"},
		{"text", "mmdb:" + write(t, []byte("hello\n")), "not an MMDB file or damaged"},
		{"no metadata", "mmdb:" + write(t, good[:metadata]), "not an MMDB file or damaged"},
		{"no tree", "mmdb:" + write(t, good[metadata-3:]), "not an MMDB file or damaged"},
		{"record size", "mmdb:" + write(t, build("asn", 6, 40, nil)), "not an MMDB file or damaged"},
		{"IP version", "mmdb:" + write(t, build("asn", 5, 24, nil)), "IP version 5, must be 4 or 6"},
		{"format version", "mmdb:" + write(t, bytes.Replace(good, []byte("major_version\xc4\x00\x00\x00\x02"), []byte("major_version\xc4\x00\x00\x00\x03"), 1)), "format version 3, must be 2"},
		{"no AS numbers", "mmdb:" + write(t, city), `has no AS numbers, its type is "City?[2J?"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(tt.spec, Config{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("got %q, want one line with %q", err, tt.want)
			}
		})
	}
}

// Wherever the file is cut or a byte is wrong, reading ends, with an error or
// with answers that are safe to print.
func TestMMDBDamaged(t *testing.T) {
	for _, size := range []int{24, 28, 32} {
		good := build("GeoLite2-ASN", 6, size, sampleNetworks)
		if _, err := newDatabase("as.mmdb", good); err != nil {
			t.Fatal(err)
		}
		for cut := range good {
			if _, err := newDatabase("as.mmdb", good[:cut]); err == nil && cut < len(good)-1 {
				t.Errorf("records of %d bits, cut at %d of %d: no error", size, cut, len(good))
			}
		}
		bad := bytes.Clone(good)
		for i := range bad {
			for _, b := range []byte{0x20, 0xff, good[i] + 1, good[i] ^ 0x40} {
				bad[i] = b
				checkDatabase(t, bad)
			}
			bad[i] = good[i]
		}
	}
}

// A tree whose nodes all lead back to its root has no end but the address's.
func TestMMDBCyclicTree(t *testing.T) {
	file := build("asn", 6, 24, networks{"10.0.0.0/8": geolite(1)})
	nodes := bytes.Index(file, make([]byte, 16))
	for i := range nodes / 6 * 6 {
		file[i] = 0
	}
	checkDatabase(t, file)
}

// A record that is made of pointers to itself must not be followed for ever.
func TestMMDBCyclicRecord(t *testing.T) {
	for _, record := range [][]byte{
		{0x20, 0x00},                                        // a pointer to itself
		{0xe1, 0x20, 0x00, 0x20, 0x00},                      // a map whose key is the map
		{0xe1, 0x43, 'a', 's', 'n', 0x20, 0x00},             // asn is the map
		{0xff, 0xff, 0xff, 0xff, 0x43, 'a', 's', 'n'},       // a map of 16 million
		{0xe1, 0x43, 'a', 's', 'n', 0x5f, 0xff, 0xff, 0xff}, // a string of 16 MB
	} {
		file := build("asn", 6, 24, networks{"10.0.0.0/8": {"padding": "0123456789abcdef"}})
		at := bytes.Index(file, []byte("\xe1\x47padding"))
		copy(file[at:], record)
		if _, err := newDatabase("as.mmdb", file); err == nil {
			t.Errorf("record % x: no error", record)
		}
	}
}

func checkDatabase(t *testing.T, file []byte) {
	t.Helper()
	db, err := newDatabase("as.mmdb", file)
	if err != nil {
		if strings.ContainsAny(err.Error(), "\n\x1b\x00") || len(err.Error()) > 300 {
			t.Errorf("error %q, want one short line", err)
		}
		return
	}
	db.built()
	for _, a := range []string{"10.1.1.1", "10.2.2.2", "10.7.7.7", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "ffff::"} {
		checkSafe(t, a, func(a netip.Addr) Result { return db.ask(t.Context(), a).Result })
	}
}

func FuzzMMDB(f *testing.F) {
	for _, size := range []int{24, 28, 32} {
		f.Add(build("GeoLite2-ASN", 6, size, sampleNetworks))
	}
	f.Add(build("asn", 4, 24, networks{"10.0.0.0/8": ipinfo("AS1")}))
	f.Fuzz(func(t *testing.T, file []byte) { checkDatabase(t, file) })
}

// Many random faults at once, for what single ones don't reach.
func TestMMDBManyFaults(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	good := build("GeoLite2-ASN", 6, 28, sampleNetworks)
	for range 2000 {
		bad := bytes.Clone(good)
		for range 1 + rng.IntN(8) {
			bad[rng.IntN(len(bad))] = byte(rng.Uint32())
		}
		checkDatabase(t, bad)
	}
}
