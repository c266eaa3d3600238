// Package conv holds the operators on images and other signals on a grid: convolutions of one to three dimensions with
// their two gradients, pooling, nearest-neighbour upsampling, and the normalisations by batch, layer and group.
//
// An array of signals is [batch, channels, extents…], with one to three extents: a line, an image, a volume. What is
// called a convolution is the cross-correlation of the field: no kernel is flipped.
package conv
