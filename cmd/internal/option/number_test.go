package option

import (
	"math"
	"testing"
)

func TestScanUint(t *testing.T) {
	tests := []struct {
		text string
		want uint64
		rest string
		ok   bool
	}{
		{"0", 0, "", true},
		{"80x", 80, "x", true},
		{" \t\n\v\f\r+7 ", 7, " ", true},
		{"-1", math.MaxUint64, "", true},
		{"-0x10", math.MaxUint64 - 15, "", true},
		{"0X1fg", 31, "g", true},
		{"0x", 0, "x", true},
		{"0xg", 0, "xg", true},
		{"010", 8, "", true},
		{"08", 0, "8", true},
		{"0b1", 0, "b1", true},
		{"1_0", 1, "_0", true},
		{"18446744073709551615", math.MaxUint64, "", true},
		{"18446744073709551616", math.MaxUint64, "", true},
		{"-18446744073709551615", 1, "", true},
		{"-18446744073709551616", math.MaxUint64, "", true},
		{"0x10000000000000000", math.MaxUint64, "", true},
		{"99999999999999999999999x", math.MaxUint64, "x", true},
		{"", 0, "", false},
		{" ", 0, " ", false},
		{"-", 0, "-", false},
		{"--1", 0, "--1", false},
		{"- 1", 0, "- 1", false},
		{"x", 0, "x", false},
		{"\xff1", 0, "\xff1", false},
	}
	for _, tt := range tests {
		got, rest, ok := scanUint(tt.text)
		if got != tt.want || rest != tt.rest || ok != tt.ok {
			t.Errorf("%q: got %d, %q, %v, want %d, %q, %v", tt.text, got, rest, ok, tt.want, tt.rest, tt.ok)
		}
	}
}

func TestScanInt(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"-5", -5},
		{"0x50", 80},
		{"9223372036854775807", math.MaxInt64},
		{"9223372036854775808", math.MaxInt64},
		{"18446744073709551616", math.MaxInt64},
		{"-9223372036854775808", math.MinInt64},
		{"-9223372036854775809", math.MinInt64},
		{"-18446744073709551617", math.MinInt64},
	}
	for _, tt := range tests {
		if got, rest, ok := scanInt(tt.text); got != tt.want || rest != "" || !ok {
			t.Errorf("%q: got %d, %q, %v, want %d", tt.text, got, rest, ok, tt.want)
		}
	}
}

func TestWholeNumbers(t *testing.T) {
	if v, ok := wholeUint("4294967297"); v != 1 || !ok {
		t.Errorf("wholeUint cuts to %d, %v, want 1", v, ok)
	}
	if _, ok := wholeUint("1 "); ok {
		t.Error("wholeUint takes a blank at the end")
	}
	if v, ok := leadingUint("-1x"); v != math.MaxUint32 || !ok {
		t.Errorf("leadingUint gives %d, %v, want 2^32-1", v, ok)
	}
	if v, ok := wholeInt("2147483648"); v != math.MinInt32 || !ok {
		t.Errorf("wholeInt cuts to %d, %v, want -2^31", v, ok)
	}
	if _, ok := wholeInt("1x"); ok {
		t.Error("wholeInt takes a letter at the end")
	}
	if _, ok := wholeFloat("1.5x"); ok {
		t.Error("wholeFloat takes a letter at the end")
	}
}

func TestScanFloat(t *testing.T) {
	tests := []struct {
		text string
		want float64
		rest string
	}{
		{"1", 1, ""},
		{" -1.5x", -1.5, "x"},
		{"+.5,", .5, ","},
		{"5..", 5, "."},
		{"1e5.5", 1e5, ".5"},
		{"1e", 1, "e"},
		{"1e+", 1, "e+"},
		{"1E-2", .01, ""},
		{"1e400", math.Inf(1), ""},
		{"-1e400", math.Inf(-1), ""},
		{"1e-400", 0, ""},
		{"1_0", 1, "_0"},
		{"0x", 0, "x"},
		{"0x.", 0, "x."},
		{"0x.8", .5, ""},
		{"0x1_0", 1, "_0"},
		{"0X1P4", 16, ""},
		{"0x1px", 1, "px"},
		{"0x1e1", 481, ""},
		{"inf", math.Inf(1), ""},
		{"-INFINITYx", math.Inf(-1), "x"},
		{"infinit", math.Inf(1), "init"},
	}
	for _, tt := range tests {
		got, rest, ok := scanFloat(tt.text)
		if got != tt.want || rest != tt.rest || !ok {
			t.Errorf("%q: got %v, %q, %v, want %v, %q", tt.text, got, rest, ok, tt.want, tt.rest)
		}
	}
	for text, want := range map[string]string{
		"nan": "", "NaNx": "x", "-nan": "", "nan()": "", "nan(a_1)x": "x", "nan(": "(", "nan(1-2)": "(1-2)",
	} {
		if got, rest, ok := scanFloat(text); !math.IsNaN(got) || rest != want || !ok {
			t.Errorf("%q: got %v, %q, %v, want NaN, %q", text, got, rest, ok, want)
		}
	}
	for _, text := range []string{"", "-", ".", "-.", "e5", "x", "+-1", "na", "in"} {
		if got, rest, ok := scanFloat(text); ok || rest != text {
			t.Errorf("%q: got %v, %q, %v, want no number", text, got, rest, ok)
		}
	}
}

func TestFormatG(t *testing.T) {
	tests := []struct {
		v    float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "-0"},
		{-1, "-1"},
		{1.10, "1.1"},
		{3.14159265, "3.14159"},
		{100000, "100000"},
		{1000000, "1e+06"},
		{-1234567, "-1.23457e+06"},
		{999999.5, "1e+06"},
		{.0001, "0.0001"},
		{.00001, "1e-05"},
		{1e100, "1e+100"},
		{-1e-320, "-9.99989e-321"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
		{math.Copysign(math.NaN(), -1), "-nan"},
	}
	for _, tt := range tests {
		if got := formatG(tt.v); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}
