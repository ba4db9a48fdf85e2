package main

import (
	"fmt"
	"strings"

	"github.com/google/gopacket/layers"
)

// connectionless has UDP, ICMP and fragments.
var connectionless = []scenario{
	{name: "udp-answered", rule: "both directions: a DNS question and its answer", script: `
		udp 192.0.2.10:50001 192.0.2.53:53
		= outcome=answered close=- flags=- conn_state=SF service=domain/payload server_name=www.example.com packets_c2s=1 packets_s2c=1
		c query=www.example.com
		s answer=www.example.com`},
	{name: "udp-answered-ipv6", rule: "the same over IPv6, to a port that says nothing", script: `
		udp [2001:db8:10::10]:50001 [2001:db8:53::53]:49153
		= outcome=answered close=- flags=- conn_state=SF payload_bytes_c2s=48 payload_bytes_s2c=480
		c 48
		s 480`},
	{name: "udp-unanswered", rule: "one direction only, three datagrams", script: `
		udp 192.0.2.10:50001 198.51.100.123:123
		= outcome=unanswered close=- flags=- conn_state=S0 packets_c2s=3 packets_s2c=0 role=registry
		c 48
		+1s c 48
		+2s c 48`},
	{name: "udp-unreachable", rule: "ICMP 3/3 quotes the datagram", script: `
		udp 192.0.2.10:50001 198.51.100.123:123
		= outcome=unreachable close=- flags=- icmp=3/3 icmp_from=198.51.100.123 verdict_frame=2 conn_state=S0
		c 48
		s icmp:3/3 quotes=c`},
	{name: "udp-unreachable-ipv6", rule: "ICMPv6 1/4 quotes the datagram", script: `
		udp [2001:db8:10::10]:50001 [2001:db8:53::53]:53
		= outcome=unreachable close=- flags=- icmp=1/4 icmp_from=2001:db8:53::53 verdict_frame=2
		c query=AAAA:www.example.com
		s icmp:1/4 quotes=c`},
	{name: "udp-server-first", rule: "the answer alone: only a server sends it", script: `
		udp 192.0.2.10:50001 192.0.2.53:53
		= close=- role=payload client=192.0.2.10:50001 conn_state=SHR
		lost c query=www.example.com
		s answer=www.example.com`, unsaid: []string{"outcome", "flags"}},
	{name: "udp-from-above", rule: "the client's address is the higher one: the registry tells the roles", script: `
		udp 198.51.100.10:50001 192.0.2.123:123
		= outcome=answered close=- flags=- conn_state=SF role=registry client=198.51.100.10:50001
		c 48
		s 48`},
	{name: "udp-idle", rule: "after two minutes of silence the same tuple is another conversation", script: `
		udp 192.0.2.10:50001 198.51.100.123:123
		= outcome=answered close=- flags=- packets_c2s=2 packets_s2c=2
		c 48
		s 48
		+119s c 48
		s 48
		= outcome=unanswered close=- flags=- packets_c2s=1
		+121s c 48`},
	{name: "icmp-echo-both", rule: "both ask and both answer: who was first is the client", portless: true, script: `
		icmp 192.0.2.10 198.51.100.80
		= outcome=answered close=- flags=- role=first packets_c2s=2 packets_s2c=2
		s echo
		c reply
		c echo
		s reply`},
	{name: "icmp-echo", rule: "no ports, never port 0: counted as ICMP", script: `
		icmp 192.0.2.10 198.51.100.80
		c echo
		s reply
		icmp 2001:db8:10::10 2001:db8:80::80 at=1s
		c echo
		s reply`},
	{name: "fragments", rule: "later fragments count for the connection of the first", script: `
		udp 192.0.2.10:50001 198.51.100.20:2049
		= outcome=answered close=- flags=- packets_c2s=3 packets_s2c=1 ip_bytes_c2s=3068 ip_bytes_s2c=128
		c 3000 mtu=1500
		s 100`},
	{name: "fragments-ipv6", rule: "the same with the fragment header of IPv6", script: `
		udp [2001:db8:10::10]:50001 [2001:db8:20::20]:2049
		= outcome=answered close=- flags=- packets_c2s=3 packets_s2c=1 ip_bytes_c2s=3152 ip_bytes_s2c=148
		c 3000 mtu=1500
		s 100`},
	{name: "fragments-orphaned", rule: "without the first there are no ports: a counter of their own, no port 0", script: `
		udp 192.0.2.10:50001 198.51.100.20:2049
		c 3000 mtu=1500 drop`},
	{name: "fragments-late", rule: "an IP id means the same datagram for a minute: what comes later is without its first", script: `
		udp 192.0.2.10:50001 198.51.100.20:2049
		= outcome=unanswered close=- flags=- packets_c2s=3 ip_bytes_c2s=3068
		c 3000 mtu=1500 id=7
		+61s c 3000 mtu=1500 id=7 drop`},
	{name: "fragments-esp", rule: "fragments of what has no ports count for its conversation", portless: true, script: `
		esp 192.0.2.10 198.51.100.20
		= outcome=answered close=- flags=- packets_c2s=3 packets_s2c=1 ip_bytes_c2s=3068
		c 3000 mtu=1500
		s 100`},
}

// paths has what is around the packets: tags, tunnels, link types, formats.
var paths = []scenario{
	{name: "vlan", rule: "a router on a stick: the directions have different VLAN ids and are one connection", script: web + `
		= outcome=complete close=open flags=- vlan=10 packets_c2s=2 packets_s2c=1
		c S vlan=10
		s SA vlan=20
		c A vlan=10`},
	{name: "tunnel-vxlan", rule: "the same private tuple in two networks is two connections", script: `
		tcp 10.0.0.1:40000 10.0.0.2:80 over=vxlan:42
		= outcome=complete close=open flags=- tunnel=vxlan:42
		` + established + `
		tcp 10.0.0.1:40000 10.0.0.2:80 over=vxlan:43 at=1s
		= outcome=refused close=never closed_by=server flags=- tunnel=vxlan:43
		c S
		s RA`},
	{name: "tunnel-gre", rule: "the inner connection is the connection; the key is an attribute", script: `
		tcp 10.0.0.1:40000 10.0.0.2:80 over=gre:7
		= outcome=complete close=open flags=- tunnel=gre:7
		` + established + `
		tcp 10.0.0.3:40000 10.0.0.2:80 over=gre at=1s
		= outcome=half-open close=never flags=- tunnel=gre
		c S
		s SA`},
	{name: "tunnel-ipip", rule: "IPv4 and IPv6 in IPv4, and an ICMP error inside", script: `
		tcp 10.0.0.1:40000 10.0.0.2:80 over=ipip
		= outcome=complete close=open flags=- tunnel=ipip
		` + established + `
		tcp [2001:db8:10::10]:40001 [2001:db8:80::80]:80 over=ipip at=1s
		= outcome=unreachable close=never flags=- tunnel=ipip icmp=1/0
		c S
		router icmp:1/0 quotes=c`},
	{name: "tunnel-nested", rule: "tunnels stand outermost first", script: `
		tcp 10.0.0.1:40000 10.0.0.2:80 over=gre:7,vxlan:42 vlan=100
		= outcome=complete close=open flags=- tunnel=gre:7,vxlan:42 vlan=100
		` + established},
	{name: "link-raw", rule: "no link header", link: layers.LinkTypeRaw, script: web + `
		= outcome=complete close=fin closed_by=client flags=-
		` + established + request + clientFins},
	{name: "link-cooked", rule: "Linux cooked capture", link: layers.LinkTypeLinuxSLL, script: web6 + `
		= outcome=complete close=fin closed_by=client flags=-
		` + established + request + clientFins},
	{name: "format-pcapng", rule: "two interfaces, nanoseconds", format: pcapng, script: `
		tcp 192.0.2.10:40000 198.51.100.80:80
		= outcome=complete close=open flags=- interface=0 syn_rtt=20.000001ms ack_rtt=200µs
		c S
		+20000001ns s SA
		c A
		udp 192.0.2.10:50001 192.0.2.53:53 if=1 at=5ms
		= outcome=answered close=- flags=- interface=1
		c query=www.example.com
		s answer=www.example.com`},
	{name: "format-nanoseconds", rule: "pcap with nanoseconds", format: pcapNano, script: web + `
		= outcome=complete close=open flags=- syn_rtt=20.000001ms ack_rtt=199.999µs
		c S
		+20000001ns s SA
		+199999ns c A`},
	{name: "format-snapped-options", rule: "54 bytes kept of each frame: the TCP options are cut off, and the verdict stays", snap: 54, script: web + `
		= outcome=complete close=fin closed_by=client flags=- mss=0/0 window_scale=0/0 payload_bytes_c2s=100 payload_bytes_s2c=1400 completeness=31 conn_state=SF
		` + established + `
		c PA 100
		s A 1400
		c A
		` + clientFins + `
		tcp 192.0.2.10:40001 198.51.100.80:80 at=1s
		= outcome=refused close=never closed_by=server flags=- completeness=37
		c S
		s RA`},
	{name: "format-snapped-ports", rule: "34 bytes kept of each frame: without ports there is no connection, and all is counted", snap: 34, script: web + established},
	{name: "clock-set-back", rule: "the clock is set back by two seconds: no time is negative", unsorted: true, script: web + `
		= outcome=complete close=fin closed_by=client flags=- syn_rtt=20ms ack_rtt=200µs setup=20.2ms packets_c2s=7 packets_s2c=5
		` + established + request + `
		+-2s c PA 100
		s A
		` + clientFins},
	{name: "format-snapped", rule: "60 bytes kept of each frame: the lengths on the wire count", snap: 60, script: web + `
		= outcome=complete close=fin closed_by=client flags=- payload_bytes_s2c=5600 completeness=31
		` + established + `
		c PA get=www.example.com/
		s A 1400
		s A 1400
		s A 1400
		s A 1400
		c A
		` + clientFins},
}

// services has real messages, at ports that suggest something else or nothing.
var services = []scenario{
	{name: "service-tls", rule: "a ClientHello proves TLS, and names the server, at any port", script: `
		tcp 192.0.2.10:40000 198.51.100.80:8081
		= outcome=complete close=open flags=- service=tls/payload server_name=db.example.com alpn=-
		` + established + `
		c PA tls=db.example.com
		s PA serverhello=800
		c A`},
	{name: "service-https", rule: "a ClientHello that offers HTTP in its ALPN proves https", script: `
		tcp 192.0.2.10:40000 198.51.100.80:8081
		= outcome=complete close=open flags=- service=https/payload server_name=www.example.com alpn=h2
		` + established + `
		c PA hello=www.example.com
		s PA serverhello=800
		c A`},
	{name: "service-http", rule: "a request proves HTTP and who the client is, though the port numbers say otherwise", script: `
		tcp 192.0.2.10:443 198.51.100.80:51000
		lost c S
		lost s SA
		lost c A
		= outcome=midstream close=open flags=- service=http/payload role=payload client=192.0.2.10:443 server_name=api.example.com
		c PA get=api.example.com/v1
		s PA ok=20
		c A`},
	{name: "service-ssh", rule: "the version line proves SSH, not who began", script: `
		tcp 192.0.2.10:40000 198.51.100.22:2222
		= outcome=complete close=open flags=- service=ssh/payload
		` + established + `
		s PA ssh=OpenSSH_10.0
		c PA ssh=OpenSSH_10.0
		s A`},
	{name: "service-by-port", rule: "without a payload only the port suggests a service", script: `
		tcp 192.0.2.10:40000 198.51.100.22:22
		= outcome=complete close=open flags=- service=ssh/port
		` + established},
}

// crowds has many connections that only together say something.
var crowds = []scenario{
	{name: "scan", rule: "one source, sixty ports: three open, the rest refused", script: scan()},
	{name: "syn-flood", rule: "sixty sources, one port, no ACK", script: flood()},
}

// scan is a SYN scan of ports 1 to 60, of which 22, 25 and 53 are open.
func scan() string {
	var b strings.Builder
	for port := 1; port <= 60; port++ {
		fmt.Fprintf(&b, "tcp 203.0.113.99:54321 192.0.2.20:%d at=%dms\n", port, 40*port)
		if port == 22 || port == 25 || port == 53 {
			b.WriteString("= outcome=aborted close=never closed_by=client flags=- completeness=35\nc S noopts mss=1460\ns SA mss=1460\nc R\n")
			continue
		}
		b.WriteString("= outcome=refused close=never closed_by=server flags=- completeness=37\nc S noopts mss=1460\ns RA\n")
	}
	return b.String()
}

// flood is a SYN flood from sixty addresses.
func flood() string {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "tcp 203.0.113.%d:%d 192.0.2.80:443 at=%dms\n", 100+i, 1024+i*37, 3*i)
		b.WriteString("= outcome=half-open close=never flags=synack-retransmitted synack_count=2 completeness=3\nc S\ns SA\n+1s s SA\n")
	}
	return b.String()
}
