//go:build !linux || purego

package flow

// populate does nothing: pages get their memory one by one, as they are used.
func populate[T any](*T) {}
