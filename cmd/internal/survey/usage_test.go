package survey

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// What can't be used is told in one line, with exit code 2.
func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "no targets",
		"20.0.0.1 --mode fast":                 `--mode "fast": allowed are adaptive, full, random`,
		"20.0.0.1 -M sctp":                     `--method "sctp": allowed are udp, icmp, tcp-syn, tcp-ack`,
		"20.0.0.1 --status loud":               "--status",
		"20.0.0.1 -4 -6":                       "-4 and -6",
		"20.0.0.1 -m 0":                        "--max-ttl 0: allowed are 1 to 255",
		"20.0.0.1 -f 9 -m 8":                   "--max-ttl 8: allowed are 9 to 255",
		"20.0.0.1 -f 0":                        "--first-ttl 0",
		"20.0.0.1 -f 33":                       "--first-ttl 33: the greatest TTL is 32 without --max-ttl",
		"20.0.0.1 -f 300":                      "--first-ttl 300: allowed are 1 to 255",
		"20.0.0.1 -m 256":                      "--max-ttl 256: allowed are 1 to 255",
		"20.0.0.1 -t 256":                      "--tos 256: allowed are 0 to 255",
		"20.0.0.1 -p 65536":                    "--port 65536: allowed are 1 to 65535",
		"20.0.0.1 -p 0":                        "--port 0: allowed are 1 to 65535",
		"20.0.0.1 -p x":                        `--port "x": want a whole number`,
		"20.0.0.1 -w 1":                        `--timeout "1": want a time with its unit`,
		"20.0.0.1 --seed -1":                   `--seed "-1": want a whole number, 0 to`,
		"20.0.0.1 --overwrite=x":               `--overwrite "x": want true or false`,
		"20.0.0.1 --per-prefix=":               `--per-prefix "": want BITS`,
		"20.0.0.1 --checkpoint=":               `--checkpoint "": want FILE`,
		"--resume=":                            `--resume "": want FILE`,
		"20.0.0.1 -o jsonl:x -o replies:./x":   "two outputs to one place",
		"20.0.0.1 -o jsonl:x --metadata x":     `--metadata "x": something else is written there`,
		"20.0.0.1 --checkpoint x --metadata x": `--checkpoint "x": something else is written there`,
		"-4 2600::1":                           "no targets are left: -4 and -6",
		"/dev/null":                            "no targets: there are none",
		"10.0.0.1 --allow-reserved --exclude 10.0.0.1": "no targets are left by --exclude",
		"2600::1 --size 36":                            "--size 36: these probes take 54 bytes",
		"20.0.0.1 2600::1 --size 36":                   "--size 36: these probes take 54 bytes",
		"20.0.0.1 --flows 0":                           "--flows 0: allowed are 1 to 1024",
		"20.0.0.1 -q 17":                               "--attempts 17: allowed are 1 to 16",
		"20.0.0.1 --mode random -q 2":                  "mode random remembers nothing",
		"20.0.0.1 -w 0s":                               "--timeout 0s: allowed are 1ms to 1m",
		"20.0.0.1 --rate fast":                         `--rate "fast"`,
		"20.0.0.1 --rate -5":                           `--rate "-5"`,
		"20.0.0.1 --rate 0":                            "bits (5Mbps), or max",
		"20.0.0.1 --shard 3/3":                         `--shard "3/3": want I/N`,
		"20.0.0.1 --shard x":                           `--shard "x": want I/N`,
		"20.0.0.1 --shard 0/5000000000":                "and N up to 4294967295",
		"20.0.0.1 --per-prefix 33":                     `--per-prefix "33"`,
		"20.0.0.1 --per-prefix 24,129":                 `--per-prefix "24,129"`,
		"20.0.0.0/8 --per-prefix 24 --random 3":        "--random 3, --per-prefix 24: want one of the two",
		"20.0.0.0/8 --random 0":                        "--random 0: want 1 or more",
		"20.0.0.1 -s 20.0.0.1,20.0.0.2":                "both are of one family",
		"20.0.0.1 -s here":                             `--source "here"`,
		"20.0.0.1 -o csv":                              `--output "csv": want KIND:PATH`,
		"20.0.0.1 -o nothing:x":                        "want KIND:PATH with one of",
		"20.0.0.1 -o jsonl:x -o replies:x":             "two outputs to one place",
		"20.0.0.1 -M icmp -p 7":                        "--port: icmp has none",
		"20.0.0.1 -M icmp --sport 7":                   "--sport: icmp has none",
		"20.0.0.1 --sport 65535 --flows 2":             "there are no 2 ports",
		"20.0.0.1 --tx wire":                           "--tx: sender",
		"20.0.0.1 --size 20":                           "--size 20: these probes take 34 bytes or more",
		"20.0.0.1 -M tcp-syn --size 100":               "--size 100: tcp probes have 40 bytes",
		"20.0.0.1 --size 9000":                         "--size 9000: allowed are 0 to 1280",
		"20.0.0.1 --status-interval 1us":               "--status-interval",
		"20.0.0.1 --checkpoint-interval 1ms":           "--checkpoint-interval 1ms: want 10ms or more",
		"--resume /no/such":                            "checkpoint /no/such: no such file",
		"20.0.0.1 -M tcp-syn --probe-contact x":        "--probe-contact: tcp probes have no payload",
		"20.0.0.1 --probe-contact \x01":                "want at most 256 bytes of text",
		"20.0.0.0/14 --mode random -o warts:x":         "--output warts: in mode random traces wait in memory",
		"20.0.0.1 --nonsense":                          "unknown flag",
		"20.0.0.1/8":                                   "did you mean 20.0.0.0/8",
		"10.0.0.0/8":                                   "special-purpose ranges",
		"20.0.0.1 --exclude 20.0.0.0/8":                "no targets are left",
		"20.0.0.1 --exclude host.name":                 `--exclude: "host.name": it is no address, prefix or range of addresses, and there is no file of that name`,
		"20.0.0.1 --exclude -":                         "--exclude: ",
		"2600::/16":                                    "more than 281474976710656 targets",
		"/no/such/file":                                "no such file",
	} {
		var out, stderr bytes.Buffer
		code := Main(strings.Fields(args), Std{Out: &out, Err: &stderr})
		got := stderr.String()
		if code != 2 || !strings.Contains(got, want) || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "hopquote survey: ") || out.Len() > 0 {
			t.Errorf("%q: code %d, %q; want 2 and one line with %q", args, code, got, want)
		}
	}
}

// What two families need is asked of those that there are.
func TestSizeOfFamily(t *testing.T) {
	var out, stderr bytes.Buffer
	if code := Main(strings.Fields("20.0.0.1 --size 36 --dry-run"), Std{Out: &out, Err: &stderr}); code != 0 || !strings.Contains(out.String(), "size      50 bytes") {
		t.Errorf("code %d, %s%s", code, &out, &stderr)
	}
}

// A dry run ends as the run would whose interface or source is not there.
func TestDryRunOfNothing(t *testing.T) {
	for args, want := range map[string]string{
		"-i none":        "--interface none: there is none of that name\n",
		"-s 203.0.113.1": "--source 203.0.113.1: no interface of this host has that address",
	} {
		var out, stderr bytes.Buffer
		code := Main(append(strings.Fields(args), "--dry-run", "20.0.0.0/24"), Std{Out: &out, Err: &stderr})
		if code != exitFailed || !strings.Contains(out.String(), "\nroutes    "+want) || !strings.HasPrefix(out.String(), "targets   ") ||
			!strings.HasPrefix(stderr.String(), "hopquote survey: "+want) {
			t.Errorf("%s: code %d, want %d and %q: %s%s", args, code, exitFailed, want, &out, &stderr)
		}
	}
}

// What is left out by what was asked for is counted by reason.
func TestDryRunLeftOut(t *testing.T) {
	const excluded, special = "excluded by --exclude", "in a special-purpose range, which --allow-reserved lets in"
	for args, want := range map[string][]string{
		"20.0.0.0/24":                               nil,
		"20.0.0.0/24 --exclude 21.0.0.0/8":          nil,
		"20.0.0.0/24 --exclude 20.0.0.7":            {"target 20.0.0.7 is left out: " + excluded},
		"192.168.0.0/16 20.0.0.0/24":                {"65536 targets are left out, such as 192.168.0.0: " + special},
		"192.168.0.0/16 --allow-reserved":           nil,
		"192.0.0.0/16 --exclude 192.0.0.0/25":       {"128 targets are left out, such as 192.0.0.0: " + excluded, "384 targets are left out, such as 192.0.0.128: " + special},
		"192.0.0.0/16 --per-prefix 24":              {"2 targets are left out, such as 192.0.0.0: " + special},
		"2000::/3 --random 5 --exclude 2000::/4":    nil,
		"20.0.0.1 ff00::/8":                         {"2^64 targets or more are left out, such as ff00::: " + special},
		"20.0.0.1 fc00::/7 --exclude fe80::/10":     {"2^64 targets or more are left out, such as fc00::: " + special},
		"20.0.0.1 2001:db8::/32 --per-prefix 24,32": {"target 2001:db8:: is left out: " + special},
	} {
		var out, stderr bytes.Buffer
		code := Main(append(strings.Fields(args), "--dry-run"), Std{Out: &out, Err: &stderr})
		var got []string
		for line := range strings.Lines(out.String()) {
			if what, ok := strings.CutPrefix(line, "left out  "); ok && (strings.Contains(what, excluded) || strings.Contains(what, special)) {
				got = append(got, strings.TrimSpace(what))
			}
		}
		if code != exitDone || !slices.Equal(got, want) {
			t.Errorf("%s: code %d, left out %q, want %q: %s", args, code, got, want, &stderr)
		}
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]rate{
		"1000": {packets: 1000}, "10kpps": {packets: 10000}, "1.5Mpps": {packets: 1.5e6}, "20k": {packets: 20000}, "7pps": {packets: 7},
		"5Mbps": {bits: 5e6}, "800kbps": {bits: 8e5}, "1Gbps": {bits: 1e9}, "64bps": {bits: 64}, "max": {},
	} {
		if got, err := parseRate(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for pps, want := range map[float64]string{0: "0", 0.5: "0.5", 1.0 / 48: "0.0208", 99.96: "100", 123456.7: "123457"} {
		if got := perSecond(pps); got != want {
			t.Errorf("%v probes/s are written %s, want %s", pps, got, want)
		}
	}
	if got := (rate{bits: 8e6}).perSecond(100); got != 10000 {
		t.Errorf("8 Mbit/s of 100 bytes are %f probes/s", got)
	}
}

// A dry run counts all probes that there may be, and writes slow rates too.
func TestDryRunCounts(t *testing.T) {
	for args, want := range map[string]string{
		"20.0.0.1":                               "probes    32 at most, a third",
		"20.0.0.1 -q 3":                          "probes    96 at most, a third",
		"20.0.0.1 -q 3 --mode full":              "probes    96 at most (mode full",
		"20.0.0.1 --mode full":                   "probes    32 (mode full",
		"20.0.0.1 --rate 0.5":                    "rate      0.5 probes/s, 192 bit/s\ntime      1m4s,",
		"20.0.0.1 --rate 8bps --mode full -q 16": "rate      0.0208 probes/s, 8 bit/s\n",
		"20.0.0.1 --rate 100.4":                  "rate      100 probes/s",
	} {
		var out, stderr bytes.Buffer
		if code := Main(append(strings.Fields(args), "--dry-run"), Std{Out: &out, Err: &stderr}); code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: code %d, want %q: %s%s", args, code, want, &out, &stderr)
		}
	}
}
