package data

import (
	"context"

	"ganglion/engine/data/source"
)

// signalSets are sets of images and series, with the split "official" into the published training and test part where
// there is one.
func signalSets() []Set {
	sets := []Set{
		{Name: "digits", Title: "Handwritten digits, 8 x 8 pixels", Task: Classify, Rows: 1797, Features: 64,
			Embedded: true, Origin: sklearn, Licence: ccUCI,
			Cite: "E. Alpaydin, C. Kaynak: Cascading classifiers, 1998",
			Layouts: one("digits/digits.csv.gz", "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
				readDigits)},
		{Name: "mnist", Title: "MNIST, handwritten digits, 28 x 28 pixels", Task: Classify, Rows: 70000, Features: 784,
			Origin: "yann.lecun.com/exdb/mnist", Licence: "commonly given as CC BY-SA 3.0",
			Cite: "Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits, 1998",
			Layouts: images("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
				"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
				"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
				"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")},
		{Name: "fashion-mnist", Title: "Fashion-MNIST, articles of clothing, 28 x 28 pixels", Task: Classify,
			Rows: 70000, Features: 784, Origin: "github.com/zalandoresearch/fashion-mnist, data/fashion",
			Licence: "MIT", Cite: "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv 1708.07747",
			Layouts: images("", "", "", "")},
	}
	for _, k := range []struct {
		name, title, file string
		rows, features    int
	}{
		{"arrow-head", "Outlines of arrow heads, 3 kinds, length 251", "ArrowHead", 211, 251},
		{"basic-motions", "Four activities, 6 channels, length 100", "BasicMotions", 80, 600},
		{"gun-point", "Hand of an actor, drawing or pointing, length 150", "GunPoint", 200, 150},
		{"italy-power-demand", "Power demand of a day, summer or winter, length 24", "ItalyPowerDemand", 1096, 24},
		{"japanese-vowels", "Nine speakers, 12 channels, lengths 7 to 29", "JapaneseVowels", 640, 348},
	} {
		sets = append(sets, Set{Name: k.name, Title: k.title, Task: Classify, Rows: k.rows, Features: k.features,
			Origin:  "timeseriesclassification.com, " + k.file,
			Licence: "as stated by the UCR and UEA time series archives",
			Cite:    "H. A. Dau et al.: The UCR time series archive, 2019; A. Bagnall et al., arXiv 1811.00075",
			Layouts: []Layout{{Files: []SetFile{{k.file + "_TRAIN.ts.gz", ""}, {k.file + "_TEST.ts.gz", ""}},
				read: readPair}}})
	}
	return sets
}

// images is the layout of the four IDX files of MNIST and its likes, with the checksums of the unpacked files.
func images(trainImages, trainLabels, testImages, testLabels string) []Layout {
	return []Layout{{Files: []SetFile{{"train-images-idx3-ubyte", trainImages},
		{"train-labels-idx1-ubyte", trainLabels}, {"t10k-images-idx3-ubyte", testImages},
		{"t10k-labels-idx1-ubyte", testLabels}}, read: readMNIST}}
}

// readDigits reads the rows of 64 pixels and the digit.
func readDigits(ctx context.Context, f *setFiles) (*Table, error) {
	t, err := readOne(f.layout.Files[0].Name, Options{Target: lastColumn, Header: HeaderNo})(ctx, f)
	if err == nil && t.D == 8*8 {
		t.Shape = []int{1, 8, 8}
		t.Encoder.Shape = t.Shape
	}
	return t, err
}

// readMNIST reads images and labels of training and test part.
func readMNIST(_ context.Context, f *setFiles) (*Table, error) {
	var both []*signals
	for part := 0; part < len(f.layout.Files); part += 2 {
		var pair [2]*source.File
		for i := range pair {
			var err error
			if pair[i], err = f.read(f.layout.Files[part+i].Name); err != nil {
				return nil, err
			}
		}
		a, err := openIDX(pair[0])
		if err != nil {
			return nil, err
		}
		s, err := imagesOf(pair[0], a, pair[1], f.opts)
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	return tableOf(both, f.opts)
}

// readPair reads series of training and test part.
func readPair(ctx context.Context, f *setFiles) (*Table, error) {
	var both []*signals
	for _, file := range f.layout.Files {
		raw, err := f.read(file.Name)
		if err != nil {
			return nil, err
		}
		s, err := readSeries(ctx, raw, f.opts)
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	return tableOf(both, f.opts)
}
