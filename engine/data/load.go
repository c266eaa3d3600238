package data

import (
	"bytes"
	"context"
	"os"
	"strings"

	"ganglion/engine/data/source"
)

// Load reads the data set of that name or, if there is none, the file at that path: CSV, TSV or white space between
// the columns, libsvm, an .npz table, IDX images, or time series in .ts form, each gzip or not, told apart by content.
// Of a folder with IDX images, or with the training and test file of one set of series, and of the common beginning of
// the names of such files, both parts are read, with the split "official". A file that has the name of a data set is
// read as ./name.
//
// An error about the content is an *Error; a cancelled ctx gives ctx.Err().
func Load(ctx context.Context, name string, o Options) (*Table, error) {
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	if set, ok := FindSet(name); ok {
		return set.load(ctx, o)
	}
	if _, err := os.Stat(name); err != nil && !strings.ContainsAny(name, "./\\") {
		return nil, &Error{File: name, Want: "a file, or a data set: " + strings.Join(setNames(), ", "), Got: "neither",
			Remedy: "the nearest are " + nearest(name, setNames())}
	}
	if parts, ok := findParts(name); ok {
		return loadParts(ctx, name, parts, o)
	}
	f, err := source.Read(name, o.Limits)
	if err != nil {
		return nil, err
	}
	return loadFile(ctx, f, o)
}

func checkOptions(o Options) error {
	switch o.Task {
	case Auto, Classify, Regress:
	default:
		return &Error{File: "--task", Want: `"classify" or "regress"`, Got: string(o.Task), Remedy: "change --task"}
	}
	switch o.Header {
	case HeaderAuto, HeaderYes, HeaderNo:
	default:
		return &Error{File: "header", Want: `"", "yes" or "no"`, Got: string(o.Header), Remedy: "change the setting"}
	}
	return nil
}

// format is what a file's content is.
type format uint8

const (
	formatCSV format = iota
	formatLibSVM
	formatNPZ
	formatIDX
	formatSeries
)

// sniff tells the formats of tables apart.
func sniff(f *source.File, o Options) (format, error) {
	switch {
	case source.IsArchive(f.Data):
		return formatNPZ, nil
	case bytes.HasPrefix(f.Data, []byte("PAR1")):
		return 0, &Error{File: f.Name, Want: "a table in a format that is read here", Got: "a Parquet file",
			Remedy: "save it as CSV; " + readable}
	case bytes.HasPrefix(f.Data, []byte("\x93NUMPY")):
		return 0, &Error{File: f.Name, Want: "an .npz archive with the arrays x and y", Got: "a single .npy array",
			Remedy: "save it with numpy.savez_compressed(file, x=..., y=...)"}
	case isIDX(f.Data):
		return formatIDX, nil
	case isSeries(f.Data), archiveName.MatchString(f.Name) && o.Target == "":
		return formatSeries, nil
	case isLibSVM(f.Data):
		return formatLibSVM, nil
	}
	return formatCSV, nil
}

// loadFile reads a file of any of the formats as training data.
func loadFile(ctx context.Context, f *source.File, o Options) (*Table, error) {
	kind, err := sniff(f, o)
	if err != nil {
		return nil, err
	}
	switch kind {
	case formatNPZ:
		return loadNPZ(ctx, f, o)
	case formatLibSVM:
		return loadLibSVM(ctx, f, o)
	case formatIDX:
		return loadIDX(f, o)
	case formatSeries:
		return loadSeries(ctx, f, o)
	}
	return loadCSV(ctx, f, o, 0)
}
