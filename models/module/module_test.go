package module

import (
	"testing"

	"ganglion/models/zoo"
)

func TestModules(t *testing.T) { zoo.Verify(t, Modules) }
func TestMLP(t *testing.T)     { zoo.Verify(t, MLP) }
func TestDEQ(t *testing.T)     { zoo.Verify(t, DEQ) }
