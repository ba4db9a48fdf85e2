//go:build !linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"sockscope/capture"
)

// A Watch follows which processes open sockets on this host: on Linux only.
type Watch struct{}

// Open fails: the error wraps errors.ErrUnsupported.
func Open(context.Context, Config) (*Watch, error) {
	return nil, fmt.Errorf("process: %w on this system", errors.ErrUnsupported)
}

func (*Watch) Appeared(uint8, netip.AddrPort, netip.AddrPort) {}

func (*Watch) Owner(uint8, netip.AddrPort, netip.AddrPort, capture.Timestamp, capture.Timestamp) capture.Owner {
	return capture.Owner{}
}

func (*Watch) Owners(uint8, netip.AddrPort, netip.AddrPort, capture.Timestamp, capture.Timestamp) [2]capture.Owner {
	return [2]capture.Owner{}
}

func (*Watch) Listens(netip.AddrPort, netip.AddrPort, capture.Timestamp) [2]bool { return [2]bool{} }

func (*Watch) Host() (*capture.Host, error) { return nil, errors.ErrUnsupported }
func (*Watch) Sources() string              { return "" }
func (*Watch) Counters() Counters           { return Counters{} }
func (*Watch) Close() error                 { return nil }
func (*Watch) Readable() []string           { return nil }
