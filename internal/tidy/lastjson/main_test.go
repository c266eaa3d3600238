package main

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	const object = `{"command":"train","epochs":2,"loss":{"test":0.25,"valid":null},"run":"r"}`
	const text = "epoch 1\nepoch 2\n" + object + "\n"
	for _, c := range []struct {
		text, wants, err string
	}{
		{text, "command=train epochs=2 loss.test=0.25 run loss", ""},
		{text, "command=eval", "command is train, want eval"},
		{text, "loss.train", `"train" is missing or null`},
		{text, "loss.valid", `"valid" is missing or null`},
		{text, "run.x", `no object that could hold "x"`},
		{text + "done\n", "run", "no JSON object"},
		{"", "", "no JSON object"},
		{"[1]", "", "no JSON object"},
		{"{} {}", "", "more than one"},
	} {
		err := check(c.text, strings.Fields(c.wants))
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q of %q: got %v, want %q", c.wants, c.text, err, c.err)
		}
	}
}
