// Package cora holds the Cora citation network in the binary; README.md says where it comes from.
package cora

import _ "embed"

//go:embed cora.npz
var archive []byte

// SHA256 is the checksum of the archive, in hex.
const SHA256 = "d1967b419013ecb6124bc8715c04be9eb9d06e08572e27db537e09c1d39ac082"

// Archive returns the .npz file. It must not be changed.
func Archive() []byte { return archive }
