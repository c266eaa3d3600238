package gnn

import (
	"testing"

	"ganglion/models/zoo"
)

func TestGCN(t *testing.T)   { zoo.Verify(t, GCN) }
func TestSAGE(t *testing.T)  { zoo.Verify(t, SAGE) }
func TestGAT(t *testing.T)   { zoo.Verify(t, GAT) }
func TestAPPNP(t *testing.T) { zoo.Verify(t, APPNP) }
func TestGIN(t *testing.T)   { zoo.Verify(t, GIN) }
