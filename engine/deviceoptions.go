package engine

// DeviceOptions are the options of OpenDeviceWith. The zero value is what OpenDevice takes.
type DeviceOptions struct {
	// Compiler is the path of the run-time compiler libnvrtc, which makes one kernel of neighbouring elementwise steps:
	// "" or "auto" for the library that the dynamic loader finds, "off" for none.
	Compiler string
	// Cache is the folder in which such kernels are kept, "" for ganglion/kernels in the user's folder of caches.
	Cache string
}
