package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asCommand makes the test program act as the command.
const asCommand = "GANGLION_TEST_COMMAND"

// givenLibrary holds the driver's library that the tests were given.
const givenLibrary = "GANGLION_TEST_LIBCUDA"

// TestMain runs the tests without a device, on all machines alike; those of devices start processes of their own.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	err := errors.Join(os.Setenv(givenLibrary, os.Getenv("GANGLION_LIBCUDA")), os.Setenv("GANGLION_LIBCUDA", "none"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// command is the command as a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// outcome is what one command line did.
type outcome struct {
	code     int
	out, log string
}

// do runs one command line inside of the test.
func do(t testing.TB, args ...string) outcome {
	t.Helper()
	var out, log bytes.Buffer
	code := execute(context.Background(), append([]string{"ganglion"}, args...), &out, &log)
	return outcome{code, out.String(), log.String()}
}

// must runs a command line that has to succeed.
func must(t testing.TB, args ...string) outcome {
	t.Helper()
	o := do(t, args...)
	if o.code != exitOK {
		t.Fatalf("%q: exit code %d\n%s%s", args, o.code, o.out, o.log)
	}
	return o
}

// strict decodes the last line of a text, which must be one JSON value without unknown keys.
func strict(t testing.TB, text string, into any) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	d := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in the last line of\n%s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one value in the last line of\n%s", text)
	}
}

// file makes a file in a new folder and returns its path.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// small are flags of a run that takes a moment.
func small(t testing.TB, more ...string) (args []string, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	return append([]string{"train", "module/mlp", "--data", "iris", "--epochs", "2", "--out", dir}, more...), dir
}

// table is a file of flowers: two numbers, one of a few words, and what is to be told from them.
func table() string {
	var b strings.Builder
	b.WriteString("length,colour,width,kind\n")
	for i := range 60 {
		kind := [...]string{"rose", "tulip", "lily"}[i%3]
		colour := [...]string{"red", "yellow", "white", "blue"}[i*7%4]
		b.WriteString(
			strings.Join(
				[]string{[...]string{"1.5", "3.25", "2"}[i%3], colour, [...]string{"7", "9.5", "8"}[(i+i/9)%3], kind},
				",",
			) + "\n",
		)
	}
	return b.String()
}
