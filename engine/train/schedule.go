package train

import "math"

// Rate is the learning rate of step t (from 0) of total: a linear warm-up over the first warm steps, then the schedule
// over the rest.
//
//	constant  base
//	cosine    base·½(1 + cos πu)      (Loshchilov and Hutter, arXiv 1608.03983, Eq. 5, without restarts)
//	linear    base·(1 − u)
//	step      base, base/10 from u = ½, base/100 from u = ¾
//
// with u = (t − warm)/(total − warm).
func Rate(schedule string, base float64, t, warm, total int) float64 {
	if t < warm {
		return base * float64(t+1) / float64(warm)
	}
	u := 0.0
	if total > warm {
		u = min(1, float64(t-warm)/float64(total-warm))
	}
	switch schedule {
	case "cosine":
		return base * 0.5 * (1 + math.Cos(math.Pi*u))
	case "linear":
		return base * (1 - u)
	case "step":
		switch {
		case u >= 0.75:
			return base / 100
		case u >= 0.5:
			return base / 10
		}
	}
	return base
}
