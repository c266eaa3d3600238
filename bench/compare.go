package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Peer is a line that another program printed about a case, or that we printed ourselves.
type Peer struct {
	Workload string  `json:"workload"`
	Peer     string  `json:"peer"`
	DType    string  `json:"dtype"` // f32 when missing
	Size     Size    `json:"size"`
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	Note     string  `json:"note"`
}

// ReadPeers reads JSON lines: an object, or a list of objects, a line. Lines with a note are no times and are left
// out. A line without a peer is one of ours, from an earlier run. An error names the line.
func ReadPeers(r io.Reader) ([]Peer, error) {
	var out []Peer
	s := bufio.NewScanner(r)
	s.Buffer(nil, 16<<20)
	for n := 1; s.Scan(); n++ {
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		var some []Peer
		var err error
		if line[0] == '[' {
			err = json.Unmarshal(line, &some)
		} else {
			some = make([]Peer, 1)
			err = json.Unmarshal(line, &some[0])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		for _, p := range some {
			switch {
			case p.Note != "":
				continue
			case !(p.MedianMS > 0) || p.Workload == "" || len(p.Size) == 0:
				return nil, fmt.Errorf("line %d: want workload, size and a positive median_ms, or a note", n)
			}
			if p.Peer == "" {
				p.Peer = "ganglion"
			}
			if p.DType == "" {
				p.DType = "f32"
			}
			out = append(out, p)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("after %d lines: %w", len(out), err)
	}
	return out, nil
}

// Compare returns the peers' times of the case of r: those of the same workload, dtype and size. Of several times of
// one peer the one with the lowest median counts, which favours the peer. Faster ones come first.
func Compare(r Result, peers []Peer) []Against {
	alias := ""
	for _, w := range workloads() {
		if w.name == r.Workload {
			alias = w.peer
		}
	}
	key := r.Size.key()
	var out []Against
	for _, p := range peers {
		same := p.Workload == r.Workload || alias != "" && p.Workload == alias
		if !same || p.DType != r.DType || p.Size.key() != key {
			continue
		}
		a := Against{Peer: p.Peer, MedianMS: p.MedianMS, MinMS: p.MinMS, Ratio: round(p.MedianMS / r.MedianMS),
			MinRatio: round(p.MinMS / r.MinMS)}
		i := slices.IndexFunc(out, func(b Against) bool { return b.Peer == p.Peer })
		switch {
		case i < 0:
			out = append(out, a)
		case a.MedianMS < out[i].MedianMS:
			out[i] = a
		}
	}
	slices.SortStableFunc(out, func(a, b Against) int {
		switch {
		case a.MedianMS < b.MedianMS:
			return -1
		case a.MedianMS > b.MedianMS:
			return 1
		}
		return strings.Compare(a.Peer, b.Peer)
	})
	return out
}
