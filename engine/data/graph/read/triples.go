package read

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"ganglion/engine/data/graph"
)

// readTriples reads train.txt, valid.txt and test.txt: head, relation and tail a line, divided by tabs, or by white
// space where a line has no tab. Names are numbered as they occur.
func readTriples(ctx context.Context, d *folder) (Data, error) {
	t := &graph.Triples{Name: filepath.Base(d.dir), Origin: d.dir}
	entities, relations := map[string]int32{}, map[string]int32{}
	number := func(m map[string]int32, names *[]string, word []byte) int32 {
		k, known := m[string(word)]
		if !known {
			k = int32(len(*names))
			*names = append(*names, string(word))
			m[(*names)[k]] = k
		}
		return k
	}
	for _, part := range []struct {
		name string
		to   *[]graph.Triple
	}{{"train.txt", &t.Train}, {"valid.txt", &t.Valid}, {"test.txt", &t.Test}} {
		f, err := d.file(part.name)
		if err != nil {
			return Data{}, err
		}
		l, err := openText(f)
		if err != nil {
			return Data{}, err
		}
		known := len(t.Entities)
		for l.next() {
			if l.line%4096 == 0 && ctx.Err() != nil {
				return Data{}, ctx.Err()
			}
			w, err := l.triple()
			if err != nil {
				return Data{}, err
			}
			*part.to = append(*part.to, graph.Triple{Head: number(entities, &t.Entities, w[0]),
				Relation: number(relations, &t.Relations, w[1]), Tail: number(entities, &t.Entities, w[2])})
		}
		if n := len(t.Entities) - known; known > 0 && n > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%d entities of %s occur in no file before it", n, part.name))
		}
	}
	if len(t.Train) == 0 {
		return Data{}, &graph.Error{File: filepath.Join(d.dir, "train.txt"), Want: "triples", Got: "an empty file",
			Remedy: "fetch it again"}
	}
	t.SHA256 = d.sum()
	return Data{Triples: t}, nil
}

// triple divides the line at hand into three words.
func (l *lines) triple() ([][]byte, error) {
	sep := byte(0)
	if bytes.IndexByte(l.text, '\t') >= 0 {
		sep = '\t'
	}
	w := l.fields(sep)
	if len(w) != 3 || len(w[0]) == 0 || len(w[1]) == 0 || len(w[2]) == 0 {
		return nil, l.bad("head, relation and tail", fmt.Sprintf("%d fields", len(w)), l.mend())
	}
	return w, nil
}

// isTriples says whether the folder holds the triples of a knowledge graph.
func (d *folder) isTriples() bool {
	if !d.has("train.txt") || !d.has("valid.txt") || !d.has("test.txt") {
		return false
	}
	f, err := (&folder{dir: d.dir, o: d.o}).file("train.txt")
	if err != nil {
		return false
	}
	l, err := openText(f)
	if err != nil || !l.next() {
		return err == nil // an empty file is told of when it is read
	}
	_, err = l.triple()
	return err == nil
}
