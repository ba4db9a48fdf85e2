package lab

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// settings are written under /proc/sys/net in both namespaces. Where the kernel does not
// have one, or does not let it be written, labs run without: they show what happens then.
var settings = []struct{ name, value string }{
	{"ipv6/conf/all/disable_ipv6", "1"}, // it would talk by itself
	{"ipv6/conf/default/disable_ipv6", "1"},
	{"ipv4/tcp_syn_linear_timeouts", "0"}, // waits are doubled from the first one (RFC 6298 §5.5)
	{"ipv4/tcp_synack_retries", "2"},
}

// A network is two namespaces, client and server, joined by a pair of interfaces with
// these names. It exists as long as its threads and their sockets.
type network struct{ client, server *host }

// A host is one of the namespaces, with two threads in it.
type host struct {
	space   int     // descriptor of the namespace; -1: there is none yet
	program *thread // makes the calls that the lab is about, and waits with them
	kernel  *thread // sets up the network and looks at it meanwhile
}

// newNetwork makes one.
func newNetwork() (*network, error) {
	n := &network{newHost(), newHost()}
	if err := n.join(); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// join makes the namespaces and what joins them.
func (n *network) join() (err error) {
	for _, h := range []*host{n.client, n.server} {
		if err := h.separate(); err != nil {
			return fmt.Errorf("a network namespace: %w", err)
		}
	}
	n.client.kernel.do(func() {
		err = netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: Client, HardwareAddr: clientHardware},
			PeerName:  Server, PeerHardwareAddr: serverHardware, PeerNamespace: netlink.NsFd(n.server.space),
		})
	})
	if err != nil {
		return fmt.Errorf("a pair of interfaces: %w", err)
	}
	n.client.kernel.do(func() { err = configure(Client, clientAddress, serverAddress, serverHardware) })
	if err == nil {
		n.server.kernel.do(func() { err = configure(Server, serverAddress, clientAddress, clientHardware) })
	}
	if err == nil {
		n.client.kernel.do(func() { err = waitForCarrier(Client) })
	}
	if err == nil {
		n.server.kernel.do(func() { err = waitForCarrier(Server) })
	}
	return err
}

// close lets the namespaces go. Sockets must have been closed.
func (n *network) close() {
	for _, h := range []*host{n.client, n.server} {
		h.program.end()
		h.kernel.end()
		if h.space >= 0 {
			_ = unix.Close(h.space)
		}
	}
}

func newHost() *host { return &host{-1, newThread(), newThread()} }

// separate puts both threads of h into a namespace of their own.
func (h *host) separate() (err error) {
	h.kernel.do(func() { h.space, err = newSpace() })
	if err == nil {
		h.program.do(func() { err = unix.Setns(h.space, unix.CLONE_NEWNET) })
	}
	return err
}

// newSpace puts the thread into a new network namespace and gives a descriptor of it.
func newSpace() (int, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, err
	}
	for _, s := range settings {
		writeSetting(s.name, s.value) // the kernel shows each thread those of its own namespace
	}
	return unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// configure gives the interface of the thread's end its address. Neighbours are told, not
// asked for, so that there are no frames but those that the lab is about.
func configure(name string, own, other netip.Addr, otherHardware net.HardwareAddr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("interface lo: %w", err)
	}
	if err := sumInSoftware(name); err != nil {
		return fmt.Errorf("interface %s: checksums: %w", name, err)
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: own.AsSlice(), Mask: net.CIDRMask(24, 32)}}
	if err := netlink.AddrAdd(link, address); err != nil {
		return fmt.Errorf("interface %s: address: %w", name, err)
	}
	for _, l := range []netlink.Link{lo, link} {
		if err := netlink.LinkSetUp(l); err != nil {
			return fmt.Errorf("interface %s: %w", l.Attrs().Name, err)
		}
	}
	for address, hardware := range map[netip.Addr]net.HardwareAddr{other: otherHardware, nobodyAddress: nobodyHardware} {
		if err := setNeighbour(link.Attrs().Index, address, hardware); err != nil {
			return fmt.Errorf("interface %s: neighbour: %w", name, err)
		}
	}
	return nil
}

// setNeighbour says which hardware address frames for a host are sent to.
func setNeighbour(link int, host netip.Addr, hardware net.HardwareAddr) error {
	return netlink.NeighSet(&netlink.Neigh{LinkIndex: link, Family: unix.AF_INET, State: netlink.NUD_PERMANENT,
		IP: host.AsSlice(), HardwareAddr: hardware})
}

// waitForCarrier waits until the interface can send: before that a pair of them swallows
// frames.
func waitForCarrier(name string) error {
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("interface %s has no carrier", name)
		}
	}
}
