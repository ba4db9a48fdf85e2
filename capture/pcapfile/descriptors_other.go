//go:build !unix

package pcapfile

func descriptors() int { return fewDescriptors }
