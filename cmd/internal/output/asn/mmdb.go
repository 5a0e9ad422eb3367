package asn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/oschwald/maxminddb-golang/v2"
)

const (
	maxDatabase = 1 << 30 // bytes; the largest published AS databases have a tenth
	maxSample   = 4096    // networks per family looked at for AS numbers
	maxRecords  = 256     // different records among them
	maxReason   = 160     // bytes of the reader's word on a damaged file
)

// database reads an MMDB file that is wholly in memory: a mapped file that is
// cut short by an update would end the program with a bus error.
type database struct{ reader *maxminddb.Reader }

// record is what is read of an entry, in either publisher's layout. The
// reader bounds the work for one entry and skips what is not named here.
type record struct {
	Number uint32 `maxminddb:"autonomous_system_number"` // GeoLite2-ASN, GeoIP2-ISP
	Word   string `maxminddb:"asn"`                      // IPinfo, "AS64500"
}

func (r record) origin() string {
	if r.Number != 0 {
		return asWord(r.Number)
	}
	word := r.Word
	if len(word) > 2 && strings.EqualFold(word[:2], "AS") {
		word = word[2:]
	}
	n, _ := parseNumber(word)
	return asWord(n)
}

func openDatabase(file string) (*database, error) {
	bytes, err := readDatabase(file)
	if err != nil {
		return nil, fmt.Errorf("AS database: %w", err)
	}
	return newDatabase(file, bytes)
}

// newDatabase reads from bytes, which must not change; file is for errors.
func newDatabase(file string, bytes []byte) (*database, error) {
	reader, err := maxminddb.OpenBytes(bytes)
	if err == nil {
		err = checkHeader(&reader.Metadata)
	}
	if err != nil {
		return nil, damaged(file, err)
	}
	db := &database{reader}
	has, err := db.sample()
	if err != nil {
		return nil, damaged(file, err)
	}
	if !has {
		return nil, fmt.Errorf("AS database %s: has no AS numbers, its type is %q", file, printable(reader.Metadata.DatabaseType))
	}
	return db, nil
}

func damaged(file string, err error) error {
	return fmt.Errorf("AS database %s: not an MMDB file or damaged: %s", file, printable(err.Error()))
}

func readDatabase(file string) ([]byte, error) {
	// Asked first, since opening a pipe would wait for its writer.
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, &os.PathError{Op: "read", Path: file, Err: errors.New("not a regular file")}
	case info.Size() > maxDatabase:
		return nil, &os.PathError{Op: "read", Path: file, Err: fmt.Errorf("%d bytes, at most %d are read", info.Size(), maxDatabase)}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bytes := make([]byte, info.Size())
	if _, err := io.ReadFull(f, bytes); err != nil {
		return nil, &os.PathError{Op: "read", Path: file, Err: err}
	}
	return bytes, nil
}

// checkHeader refuses what no look-up could use; the reader itself notices
// only on the first one.
func checkHeader(m *maxminddb.Metadata) error {
	switch {
	case m.BinaryFormatMajorVersion != 2:
		return fmt.Errorf("format version %d, must be 2", m.BinaryFormatMajorVersion)
	case m.IPVersion != 4 && m.IPVersion != 6:
		return fmt.Errorf("IP version %d, must be 4 or 6", m.IPVersion)
	case m.RecordSize != 24 && m.RecordSize != 28 && m.RecordSize != 32:
		return fmt.Errorf("record size %d, must be 24, 28 or 32", m.RecordSize)
	}
	return nil
}

func (db *database) built() time.Time {
	const latest = 1 << 40 // beyond are years that no format can write
	epoch := db.reader.Metadata.BuildEpoch
	if epoch == 0 || epoch > latest {
		return time.Time{}
	}
	return time.Unix(int64(epoch), 0).UTC()
}

func (db *database) ask(_ context.Context, addr netip.Addr) answer {
	if addr.Is6() && db.reader.Metadata.IPVersion == 4 {
		return answer{}
	}
	r, prefix, err := db.lookup(addr)
	if err != nil {
		return failed
	}
	best := longest{addr: addr}
	best.add(prefix.Bits(), prefix, r.origin())
	return answer{Result: best.result}
}

func (db *database) lookup(addr netip.Addr) (r record, prefix netip.Prefix, err error) {
	found := db.reader.Lookup(addr)
	if err := found.Decode(&r); err != nil {
		return r, prefix, err
	}
	return r, found.Prefix(), nil
}

// sample tells whether the database is one of AS numbers, from its first
// networks: another kind, such as one of cities, would answer every look-up
// with nothing. An empty database passes. The work is bounded, since a few
// bytes can stand for endless networks and for large records.
func (db *database) sample() (bool, error) {
	starts := []netip.Addr{netip.IPv4Unspecified()}
	if db.reader.Metadata.IPVersion == 6 {
		starts = append(starts, netip.MustParseAddr("2000::")) // RFC 4291 section 2.4, global unicast
	}
	seen := make(map[uintptr]bool)
	for _, addr := range starts {
		for range maxSample {
			found := db.reader.Lookup(addr)
			if err := found.Err(); err != nil {
				return false, err
			}
			if found.Found() && !seen[found.Offset()] {
				if len(seen) == maxRecords {
					return false, nil
				}
				seen[found.Offset()] = true
				var r record
				if err := found.Decode(&r); err != nil {
					return false, err
				}
				if r.origin() != "" {
					return true, nil
				}
			}
			next := last(found.Prefix()).Next()
			if next.Is4() != addr.Is4() || next.Compare(addr) <= 0 {
				break
			}
			addr = next
		}
	}
	return len(seen) == 0, nil
}

// last gives the highest address of a prefix, the zero Addr of an invalid one.
func last(p netip.Prefix) netip.Addr {
	if !p.IsValid() {
		return netip.Addr{}
	}
	octets := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(octets)*8; bit++ {
		octets[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(octets)
	return addr
}

// printable keeps a text that holds words of the file on one short line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}
