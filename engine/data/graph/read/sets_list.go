package read

import (
	"cmp"
	"slices"
)

// Where sets come from, and the papers to cite.
const (
	fromPlanetoid = "github.com/kimiyoung/planetoid, data"
	fromHetero    = "github.com/yandex-research/heterophilous-graphs, data"
	fromData      = "github.com/EdisonLeeeee/GraphData, datasets"
	fromMusae     = "github.com/benedekrozemberczki/MUSAE, input"
	fromDGCNN     = "github.com/muhanzhang/pytorch_DGCNN, data"
	fromConve     = "github.com/TimDettmers/ConvE"

	citeSen = "P. Sen et al.: Collective Classification in Network Data, 2008; Z. Yang et al.: Revisiting " +
		"Semi-Supervised Learning with Graph Embeddings, 2016"
	citePei      = "H. Pei et al.: Geom-GCN: Geometric Graph Convolutional Networks, 2020"
	citePlatonov = "O. Platonov et al.: A Critical Look at the Evaluation of GNNs under Heterophily, 2023"
	citeShchur   = "O. Shchur et al.: Pitfalls of Graph Neural Network Evaluation, 2018"
	citeBoj      = "A. Bojchevski, S. Günnemann: Deep Gaussian Embedding of Graphs, 2018"
	citeRoz      = "B. Rozemberczki, C. Allen, R. Sarkar: Multi-scale Attributed Node Embedding, 2019"
	citeTU       = "C. Morris et al.: TUDataset: A collection of benchmark datasets for learning with graphs, 2020"
	citeDet      = "T. Dettmers et al.: Convolutional 2D Knowledge Graph Embeddings, 2018"
	citeZach     = "W. W. Zachary: An Information Flow Model for Conflict and Fission in Small Groups, 1977"
	citeAdamic   = "L. Adamic, N. Glance: The Political Blogosphere and the 2004 U.S. Election, 2005"

	licencePages = "the repository is GPL-3.0; the data are also spread without a licence of their own"
)

// Sets returns the named sets, sorted by name.
func Sets() []Set {
	sets := slices.Concat(citationSets(), pageSets(), graphSets(), tripleSets())
	slices.SortFunc(sets, func(a, b Set) int { return cmp.Compare(a.Name, b.Name) })
	return sets
}

// citationSets are networks of papers, authors and goods.
func citationSets() []Set {
	return []Set{
		{Name: "cora", Title: "Citations between papers on machine learning, bag of words, 7 topics", Kind: "nodes",
			Graphs: 1, Nodes: 2708, Edges: 5278, Features: 1433, Classes: 7, Embedded: true, Origin: fromPlanetoid,
			Licence: "MIT", Cite: citeSen},
		{Name: "amazon-photo", Title: "Photo goods bought together, bag of words of reviews", Kind: "nodes",
			Graphs: 1, Nodes: 7650, Edges: 119081, Features: 745, Classes: 8, Origin: fromData,
			Licence: "MIT", Cite: citeShchur, Paths: []string{"amazon-photo/amazon-photo.npz", "amazon-photo.npz"}},
		{Name: "citeseer", Title: "Citations between papers of six topics, bag of words", Kind: "nodes",
			Graphs: 1, Nodes: 3327, Edges: 4552, Features: 3703, Classes: 6, Origin: fromPlanetoid,
			Licence: "MIT",
			Cite:    citeSen,
			Paths:   []string{"planetoid-citeseer/citeseer.npz", "planetoid-citeseer", "citeseer.npz", "citeseer"}},
		{Name: "coauthor-physics", Title: "Authors of physics papers together, keywords", Kind: "nodes",
			Graphs: 1, Nodes: 34493, Edges: 247962, Features: 8415, Classes: 5, Origin: fromData,
			Licence: "MIT",
			Cite:    citeShchur, Paths: []string{"coauthor-physics/coauthor-physics.npz", "coauthor-physics.npz"}},
		{Name: "dblp", Title: "Citations between papers of four topics, bag of words", Kind: "nodes",
			Graphs: 1, Nodes: 17716, Edges: 52867, Features: 1639, Classes: 4, Origin: fromData,
			Licence: "MIT", Cite: citeBoj, Paths: []string{"dblp/dblp.npz", "dblp.npz"}},
		{Name: "pubmed", Title: "Citations between papers on diabetes, words by TF-IDF", Kind: "nodes",
			Graphs: 1, Nodes: 19717, Edges: 44324, Features: 500, Classes: 3, Origin: fromPlanetoid,
			Licence: "MIT", Cite: citeSen, Paths: []string{"planetoid-pubmed", "pubmed"}},
	}
}

// pageSets are networks of pages and people.
func pageSets() []Set {
	return []Set{
		{Name: "actor", Title: "Actors on pages of Wikipedia together", Kind: "nodes",
			Graphs: 1, Nodes: 7600, Edges: 26659, Features: 932, Classes: 5, Origin: fromHetero,
			Licence: "MIT", Cite: citePei, Paths: []string{"heterophilous/actor.npz", "actor.npz"}},
		{Name: "chameleon", Title: "Pages of Wikipedia about chameleons, 5 classes of traffic", Kind: "nodes",
			Graphs: 1, Nodes: 2277, Edges: 31371, Features: 2325, Classes: 5, Origin: fromHetero,
			Licence: "MIT", Cite: citePei, Paths: []string{"heterophilous/chameleon.npz", "chameleon.npz"}},
		{Name: "chameleon-filtered", Title: "Chameleon without double nodes", Kind: "nodes",
			Graphs: 1, Nodes: 890, Edges: 8854, Features: 2325, Classes: 5, Origin: fromHetero,
			Licence: "MIT",
			Cite:    citePlatonov, Paths: []string{"heterophilous/chameleon_filtered.npz", "chameleon_filtered.npz"}},
		{Name: "cornell", Title: "Web pages of Cornell, 5 kinds", Kind: "nodes",
			Graphs: 1, Nodes: 183, Edges: 277, Features: 1703, Classes: 5, Origin: fromHetero,
			Licence: "MIT", Cite: citePei, Paths: []string{"heterophilous/cornell.npz", "cornell.npz"}},
		{Name: "facebook-page-page", Title: "Facebook pages that like one another, keywords, 4 kinds", Kind: "nodes",
			Graphs: 1, Nodes: 22470, Edges: 170823, Features: 4714, Classes: 4, Origin: fromMusae,
			Licence: licencePages,
			Cite:    citeRoz, Paths: []string{"facebook-page-page/facebook.npz", "facebook-page-page", "facebook"}},
		{Name: "karate-club", Title: "Members of a karate club, 4 communities", Kind: "nodes",
			Graphs: 1, Nodes: 34, Edges: 78, Features: 0, Classes: 4, Origin: fromData,
			Licence: "MIT", Cite: citeZach, Paths: []string{"karate-club/karate-club.npz", "karate-club.npz"}},
		{Name: "minesweeper", Title: "A grid with mines and the numbers beside them", Kind: "nodes",
			Graphs: 1, Nodes: 10000, Edges: 39402, Features: 7, Classes: 2, Origin: fromHetero,
			Licence: "MIT", Cite: citePlatonov, Paths: []string{"heterophilous/minesweeper.npz", "minesweeper.npz"}},
		{Name: "polblogs", Title: "Links between political blogs, 2 sides", Kind: "nodes",
			Graphs: 1, Nodes: 1490, Edges: 16715, Features: 0, Classes: 2, Origin: fromData,
			Licence: "MIT", Cite: citeAdamic, Paths: []string{"polblogs/polblogs.npz", "polblogs.npz"}},
		{Name: "squirrel-filtered", Title: "Pages of Wikipedia about squirrels without double nodes", Kind: "nodes",
			Graphs: 1, Nodes: 2223, Edges: 46998, Features: 2089, Classes: 5, Origin: fromHetero,
			Licence: "MIT",
			Cite:    citePlatonov, Paths: []string{"heterophilous/squirrel_filtered.npz", "squirrel_filtered.npz"}},
		{Name: "texas", Title: "Web pages of Texas, 5 kinds", Kind: "nodes",
			Graphs: 1, Nodes: 183, Edges: 279, Features: 1703, Classes: 5, Origin: fromHetero,
			Licence: "MIT", Cite: citePei, Paths: []string{"heterophilous/texas.npz", "texas.npz"}},
		{Name: "tolokers", Title: "Workers of a crowdsourcing platform, banned or not", Kind: "nodes",
			Graphs: 1, Nodes: 11758, Edges: 519000, Features: 10, Classes: 2, Origin: fromHetero,
			Licence: "MIT", Cite: citePlatonov, Paths: []string{"heterophilous/tolokers.npz", "tolokers.npz"}},
	}
}

// graphSets are collections of graphs to be told apart.
func graphSets() []Set {
	return []Set{
		{Name: "imdb-binary", Title: "Actors of a film together, 2 genres", Kind: "graphs",
			Graphs: 1000, Nodes: 19773, Edges: 96531, Features: 0, Classes: 2, Origin: fromDGCNN,
			Licence: "MIT",
			Cite:    citeTU, Paths: []string{"graph-classification/IMDBBINARY.txt", "IMDBBINARY.txt", "IMDB-BINARY"}},
		{Name: "imdb-multi", Title: "Actors of a film together, 3 genres", Kind: "graphs",
			Graphs: 1500, Nodes: 19502, Edges: 98903, Features: 0, Classes: 3, Origin: fromDGCNN,
			Licence: "MIT",
			Cite:    citeTU, Paths: []string{"graph-classification/IMDBMULTI.txt", "IMDBMULTI.txt", "IMDB-MULTI"}},
		{Name: "mutag", Title: "Molecules that make mutations, or not", Kind: "graphs",
			Graphs: 188, Nodes: 3371, Edges: 3721, Features: 7, Classes: 2, Origin: fromDGCNN,
			Licence: "MIT",
			Cite:    citeTU, Paths: []string{"graph-classification/MUTAG.txt", "MUTAG.txt", "tu-mutag", "MUTAG"}},
		{Name: "nci1", Title: "Molecules active against lung cancer, or not", Kind: "graphs",
			Graphs: 4110, Nodes: 122747, Edges: 132753, Features: 37, Classes: 2, Origin: fromDGCNN,
			Licence: "MIT", Cite: citeTU, Paths: []string{"graph-classification/NCI1.txt", "NCI1.txt", "NCI1"}},
		{Name: "proteins", Title: "Proteins that are enzymes, or not", Kind: "graphs",
			Graphs: 1113, Nodes: 43471, Edges: 81044, Features: 3, Classes: 2, Origin: fromDGCNN,
			Licence: "MIT",
			Cite:    citeTU, Paths: []string{"graph-classification/PROTEINS.txt", "PROTEINS.txt", "PROTEINS"}},
		{Name: "ptc", Title: "Molecules that cause cancer in rats, or not", Kind: "graphs",
			Graphs: 344, Nodes: 8792, Edges: 8931, Features: 19, Classes: 2, Origin: fromDGCNN,
			Licence: "MIT", Cite: citeTU, Paths: []string{"graph-classification/PTC.txt", "PTC.txt", "PTC"}},
	}
}

// tripleSets are knowledge graphs.
func tripleSets() []Set {
	return []Set{
		{Name: "nations", Title: "Relations between countries", Kind: "triples",
			Graphs: 1, Nodes: 14, Edges: 1992, Features: 55, Classes: 0, Origin: fromConve,
			Licence: "MIT", Cite: citeDet, Paths: []string{"kg-nations", "nations"}},
		{Name: "umls", Title: "Relations between medical terms", Kind: "triples",
			Graphs: 1, Nodes: 135, Edges: 6529, Features: 46, Classes: 0, Origin: fromConve,
			Licence: "MIT", Cite: citeDet, Paths: []string{"kg-umls", "umls"}},
		{Name: "wn18rr", Title: "Relations between words of WordNet", Kind: "triples",
			Graphs: 1, Nodes: 40943, Edges: 93003, Features: 11, Classes: 0, Origin: fromConve,
			Licence: "MIT", Cite: citeDet, Paths: []string{"kg-wn18rr", "wn18rr", "WN18RR"}},
	}
}
