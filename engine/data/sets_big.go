package data

import "fmt"

// bigSets are the sets of the flagship's experiments.
func bigSets() []Set {
	return []Set{
		{Name: "codon", Title: "Codon usage of genomes: five kingdoms, or eleven in the file of UCI", Task: Classify,
			Rows:     13008,
			Features: 64, Origin: "github.com/Bohdan-Khomtchouk/codon-usage, src/plots/heatmap_inputs, or UCI set 577",
			Licence: "MIT; " + ccUCI,
			Cite:    hallee,
			Layouts: codonLayouts()},
		{Name: "dsa", Title: "Daily and sports activities, 19 activities, 5 s windows", Task: Classify, Rows: 9120,
			Features: 180,
			Origin:   "UCI Machine Learning Repository set 256", Licence: ccUCI,
			Cite:    altun,
			Layouts: dsaLayouts()},
		{Name: "facebook", Title: "Facebook pages, bag of words, 4 kinds", Task: Classify, Rows: 22470, Features: 4714,
			Origin:  "github.com/benedekrozemberczki/MUSAE, input",
			Licence: "the repository is GPL-3.0; the data are also spread without a licence of their own",
			Cite:    "B. Rozemberczki, C. Allen, R. Sarkar: Multi-scale Attributed Node Embedding, 2019",
			Layouts: facebookLayouts()},
		{Name: "gas", Title: "Gas sensor array drift, 6 gases, 8 of the 10 batches", Task: Classify, Rows: 6697,
			Features: 128,
			Embedded: true, Origin: gasOrigin, Licence: ccUCI, Cite: gasCite, Layouts: gasLayouts()},
		{Name: "gas-full", Title: "Gas sensor array drift, 6 gases, all 10 batches", Task: Classify, Rows: 13910,
			Features: 128,
			Origin:   gasOrigin, Licence: ccUCI, Cite: gasCite, Layouts: gasFullLayouts()},
		{Name: "hapt", Title: "Human activities and postural transitions, 12 activities", Task: Classify, Rows: 10929,
			Features: 177,
			Origin:   "UCI Machine Learning Repository set 341", Licence: ccUCI,
			Cite:    reyes,
			Layouts: haptLayouts()},
	}
}

const (
	hallee = "L. Hallee, B. Khomtchouk: Machine learning classifiers predict key genomic and evolutionary traits " +
		"across the kingdoms of life, Scientific Reports 2023"
	altun = "K. Altun, B. Barshan, O. Tuncel: Comparative study on classifying human activities with miniature " +
		"inertial and magnetic sensors, 2010"
	reyes = "J.-L. Reyes-Ortiz et al.: Transition-Aware Human Activity Recognition Using Smartphones, " +
		"Neurocomputing 2016"
	gasOrigin = "UCI Machine Learning Repository set 270"
	gasCite   = "A. Vergara et al.: Chemical gas sensor drift compensation using classifier ensembles, 2012; " +
		"I. Rodriguez-Lujan et al., 2014"
)

// gasFeatures names the 16 sensors × 8 features.
func gasFeatures() []string {
	var names []string
	for s := range 16 {
		for k := range 8 {
			names = append(names, fmt.Sprintf("sensor%d_feature%d", s+1, k+1))
		}
	}
	return names
}

// gasClasses are the names of the classes 1 to 6 of the original files.
func gasClasses() []string {
	return []string{"ethanol", "ethylene", "ammonia", "acetaldehyde", "acetone", "toluene"}
}
