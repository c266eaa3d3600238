package run

import "runtime"

// asked is the memory that Go has asked the system for and not returned, and all that it has ever asked for, in bytes.
func asked() (now, most int) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.Sys - m.HeapReleased), int(m.Sys)
}
