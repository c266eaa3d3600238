package run

import (
	"errors"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "512MiB": 512 << 20, "2GB": 2e9, "1.5 GiB": 3 << 29,
		"64k": 64 << 10, "10kB": 10000, "7 b": 7, "1T": 1 << 40, " 3MB ": 3e6, "1e3": 1000, "0.5KiB": 512} {
		if int64(int(want)) != want {
			continue // more than an int of this machine holds
		}
		if got, err := ParseSize(text); err != nil || int64(got) != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1GB", "MiB", "1XB", "NaN", "inf", "1e30", "0.2", "1 2", "0x10 B B",
		"9999999TiB"} {
		var u *UsageError
		if got, err := ParseSize(text); !errors.As(err, &u) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for bytes, want := range map[int]string{1: "1KiB", 1024: "1KiB", 1025: "2KiB", 1 << 20: "1MiB", 1<<20 + 1: "2MiB"} {
		if got := Size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}
