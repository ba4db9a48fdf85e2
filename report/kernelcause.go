package report

// silenceCause is what the kernel says of a port of this host that left SYNs unanswered;
// "" when it says nothing.
func (k *kernel) silenceCause(key groupKey) string {
	if k == nil || key.protocol != protoTCP || !k.isLocal(key.addr()) {
		return ""
	}
	m := k.listeners.at(key.protocol, onWire(key.endpoint()))
	switch {
	case m == nil && len(k.host.Incomplete) > 0:
		return ""
	case m == nil:
		return "nothing listens there on this host, and no reset went out: a firewall here drops the SYN, or NAT sends it elsewhere"
	case m.isFull():
		return m.queue()
	case m.answers:
		return m.name() + " listens there and its kernel answers, but no SYN-ACK went out: a firewall here drops it"
	case k.host.ListenOverflows > 0 && !k.listeners.anyFull():
		return m.name() + " listens there, and accept queues overflowed: it accepts too slowly, or a firewall here drops the SYN"
	}
	return m.name() + " listens there: a firewall here or the reverse path filter drops the SYN"
}

// refusedCause is why a port of this host refuses connections.
func (k *kernel) refusedCause(key groupKey) string {
	const nobody = "nothing listens on this port"
	if k == nil || !k.isLocal(key.addr()) {
		return nobody
	}
	if m := k.listeners.at(key.protocol, onWire(key.endpoint())); m != nil {
		return m.name() + " listens there now: it began later, or a firewall here refuses"
	}
	if m := k.listeners.elsewhere(key.protocol, key.port); m != nil {
		return m.name() + " listens on " + m.addr.String() + " only"
	}
	return nobody
}
