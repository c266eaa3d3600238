//go:build !gpu

package ptx

import "io/fs"

// family has no files in a build without the tag gpu.
func family(string) fs.FS { return nil }
