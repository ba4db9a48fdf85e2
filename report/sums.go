package report

import (
	"sockscope/capture"
	"sockscope/decode/flow"
)

// sums are what does not depend on the order in which connections are added: those of parts
// of the connections, merged, are those of all.
type sums struct {
	volumes [256]flow.Volume // of connections with ports, by IP protocol
	ranges  [numRanges]rangeGroup
	clients [numRanges]uint64
	roles   [flow.NumRoleBases]uint64
	times   intervals
	top     top
}

// add counts c, which x says more of.
func (s *sums) add(c *flow.Connection, x *counts, owners *[2]capture.Owner) {
	if c.HasPorts {
		v := &s.volumes[c.Protocol]
		v.Frames += x.packets
		v.Bytes += x.bytes
	}
	r := &s.ranges[rangeOf(c.HasPorts, c.Server.Port())]
	r.tally.add(x)
	r.synRTT.add(c.SYNRTT)
	s.clients[rangeOf(c.HasPorts, c.Client.Port())]++
	if c.Role < flow.NumRoleBases {
		s.roles[c.Role]++
	}
	s.times.add(c.First, x.fate == failed)
	s.top.add(c, x.fate == failed, owners)
}

// merge adds another one's connections. It must not be used any more.
func (s *sums) merge(o *sums) {
	for i := range s.volumes {
		s.volumes[i].Frames += o.volumes[i].Frames
		s.volumes[i].Bytes += o.volumes[i].Bytes
	}
	for i := range s.ranges {
		s.ranges[i].tally.merge(&o.ranges[i].tally)
		s.ranges[i].synRTT.merge(&o.ranges[i].synRTT)
		s.clients[i] += o.clients[i]
	}
	for i := range s.roles {
		s.roles[i] += o.roles[i]
	}
	s.times.merge(&o.times)
	s.top.merge(&o.top)
}

// another is sums of no connection, to be merged with s.
func (s *sums) another() *sums { return &sums{top: top{key: s.top.key, limit: s.top.limit}} }
