package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{File: "penguins.csv", Line: 17, Column: "year", Want: "a number", Got: `"abc"`, Remedy: "mend it"},
			`penguins.csv:17: column "year": want a number, got "abc"; mend it`},
		{Error{File: "a.bin", Byte: 12, Want: "text"}, `a.bin: byte 12: want text`},
		{Error{File: "a", Got: "nothing"}, `a: got nothing`},
		{Error{File: "a", Want: "x", Err: errors.New("cause"), Remedy: "do"}, `a: want x, cause; do`},
		{Error{File: "a", Want: "x", Got: "y", Err: errors.New("cause")}, `a: want x, got y: cause`},
		{Error{File: "a", Err: errors.New("cause")}, `a: cause`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	if err := fmt.Errorf("wrapped: %w", &Error{Err: os.ErrNotExist}); !errors.Is(err, os.ErrNotExist) {
		t.Error("the cause is lost")
	}
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// wantError checks an *Error by its text, in which the path is written as FILE.
func wantError(t *testing.T, name string, err error, path, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%s: want an *Error, got %v", name, err)
		return
	}
	if got := strings.ReplaceAll(err.Error(), path, "FILE"); got != want {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

func TestRead(t *testing.T) {
	text := []byte("a,b\n1,2\n")
	plain, packed := write(t, "t.csv", text), write(t, "t.csv.gz", gzipped(t, text))
	for _, path := range []string{plain, packed} {
		f, err := Read(path, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Data, text) || f.Name != path || len(f.SHA256) != 64 {
			t.Errorf("%s: got %q, sha256 %s", path, f.Data, f.SHA256)
		}
	}
	f, err := Read(plain, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"; f.SHA256 != want {
		t.Errorf("sha256 %s, want %s", f.SHA256, want)
	}
}

func TestReadErrors(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	_, err := Read(absent, Limits{})
	wantError(t, "absent", err, absent, "FILE: no such file or directory; check the path")
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("absent: the cause is lost")
	}
	dir := t.TempDir()
	_, err = Read(dir, Limits{})
	wantError(t, "folder", err, dir, "FILE: want a regular file, got a folder; name the file itself")
	big := write(t, "big", make([]byte, 100))
	_, err = Read(big, Limits{MaxBytes: 99})
	wantError(t, "large", err, big, "FILE: want at most 99 bytes, got more; cut the file into parts")
	_, err = Read(os.DevNull, Limits{})
	wantError(t, "device", err, os.DevNull, "FILE: want a regular file, got a device; name the file itself")
}

func TestGzipBomb(t *testing.T) {
	bomb := gzipped(t, make([]byte, 40<<20))
	path := write(t, "bomb.gz", bomb)
	limit := slackBytes + maxRatio*len(bomb)
	_, err := Read(path, Limits{})
	wantError(t, "bomb", err, path,
		fmt.Sprintf("FILE: want at most %d bytes when unpacked, got more; unpack it yourself if you trust it", limit))
}

// A gzip file cut off anywhere is an error, never a shorter text.
func TestGzipTruncated(t *testing.T) {
	whole := gzipped(t, []byte(strings.Repeat("1,2,3\n", 50)))
	for n := 2; n < len(whole); n++ {
		if _, err := New("x", whole[:n], Limits{}); err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(whole))
		}
	}
	_, err := New("x.gz", whole[:20], Limits{})
	wantError(t, "cut", err, "x.gz",
		"FILE: want a whole gzip file, got unexpected EOF; the file is damaged: fetch it again")
}
