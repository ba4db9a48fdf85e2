package main

import (
	"fmt"
	"strings"
)

// story is half a minute at the edge of a small office: what works, and each
// kind of trouble once. It is the capture the README shows.
//
//	192.0.2.10–12        workstations     198.51.100.22  ssh        198.51.100.54  database, down
//	192.0.2.20           server, scanned  198.51.100.80  web        198.51.100.99  off
//	192.0.2.53           resolver         198.51.100.81  api        203.0.113.99   scanner
//	192.0.2.80           own web server   198.51.100.25  mail       203.0.113.140… never send their ACK
func story() string {
	var b strings.Builder
	b.WriteString(`
		# A connection from before the capture goes on, keeps itself alive and is closed.
		tcp 192.0.2.11:50122 198.51.100.22:22 at=20ms ts
		lost c S
		lost s SA
		lost c A
		= outcome=midstream close=fin closed_by=client flags=keep-alive role=registry
		+1ms c PA 64
		s PA 112
		c A
		+15s c A seq=-1
		s A
		+10s c FA
		s FA
		c A

		# A browser resolves, connects over IPv4 and over IPv6, and reads.
		udp 192.0.2.10:41001 192.0.2.53:53 at=150ms
		= outcome=answered close=- flags=- service=domain/payload
		c query=www.example.com
		+4ms s answer=www.example.com
		udp 192.0.2.10:41002 192.0.2.53:53 at=151ms
		= outcome=answered close=- flags=-
		c query=AAAA:www.example.com
		+5ms s answer=AAAA:www.example.com
		tcp [2001:db8:10::10]:48010 [2001:db8:80::80]:443 at=160ms ts
		= outcome=complete close=fin closed_by=client flags=ecn service=https/payload server_name=www.example.com alpn=h2
		c SEW
		+18ms s SAE
		c A
		c PA hello=www.example.com
		+18ms s A
		+2ms s PA serverhello=1200
		c A
		c PA appdata=180
		s PA appdata=1300
		s PA appdata=1300
		s PA appdata=700
		c A
		+6s c FA
		s FA
		c A
		tcp 192.0.2.10:48011 198.51.100.80:80 at=410ms ts
		= outcome=complete close=fin closed_by=server flags=- service=http/payload server_name=www.example.com
		c S
		+21ms s SA
		c A
		c PA get=www.example.com/
		s A
		+3ms s PA ok=620
		c A
		+5s s FA
		c FA
		s A
		tcp 192.0.2.12:48012 198.51.100.80:443 at=900ms ts
		= outcome=complete close=reset-after-fin closed_by=client flags=-
		c S
		+22ms s SA
		c A
		c PA hello=www.example.com
		s A
		s PA serverhello=1100
		c A
		c PA appdata=90
		s A
		+800ms c FA
		+21ms s PA appdata=300
		c R

		# The resolver answers that there is no such name; another query gets no answer.
		udp 192.0.2.12:41003 192.0.2.53:53 at=1300ms
		= outcome=answered close=- flags=-
		c query=intranet.example.org
		+30ms s nxdomain=intranet.example.org
		udp 192.0.2.12:41004 198.51.100.53:53 at=1400ms
		= outcome=unanswered close=- flags=- packets_c2s=3
		c query=www.example.net
		+5s c query=www.example.net
		+5s c query=www.example.net

		# The api speaks TLS on a port of its own, and its first SYN is lost.
		tcp 192.0.2.10:48020 198.51.100.81:8443 at=2s ts
		= outcome=complete close=open flags=syn-retransmitted syn_count=2 setup=1.0252s ambiguous=true service=https/payload server_name=api.example.com
		c S
		+1s c S
		+25ms s SA
		c A
		c PA hello=api.example.com
		s A
		s PA serverhello=900
		c A
		+4s c PA appdata=250
		s PA appdata=600
		c A
		+12s c PA appdata=250
		s PA appdata=600
		c A
		tcp 192.0.2.11:48021 198.51.100.81:8443 at=2500ms
		= outcome=complete close=reset closed_by=server flags=- service=https/payload
		c S
		+24ms s SA
		c A
		c PA hello=api.example.com
		s A
		+2s s RA
		tcp 192.0.2.11:48022 198.51.100.81:8443 at=6s
		= outcome=complete close=reset closed_by=server flags=- service=https/payload
		c S
		+24ms s SA
		c A
		c PA hello=api.example.com
		s A
		+2s s RA

		# The database is down: refused, three times, from two clients.
		tcp 192.0.2.10:48030 198.51.100.54:5432 at=3s ts
		= outcome=refused close=never closed_by=server flags=- service=postgresql/port
		c S
		+12ms s RA
		tcp 192.0.2.10:48031 198.51.100.54:5432 at=4s ts
		= outcome=refused close=never closed_by=server flags=-
		c S
		+12ms s RA
		tcp 192.0.2.12:48032 198.51.100.54:5432 at=4500ms ts
		= outcome=refused close=never closed_by=server flags=-
		c S
		+13ms s RA

		# A host that is off: nothing comes back, the client waits 1, 2, 4, 8 s.
		tcp 192.0.2.12:48040 198.51.100.99:443 at=5s ts
		= outcome=unanswered close=never flags=syn-retransmitted syn_count=5 syn_waits=1s,2s,4s,8s
		c S
		+1s c S
		+2s c S
		+4s c S
		+8s c S

		# No way there: by a router over IPv4 and IPv6, and forbidden by a firewall.
		tcp 192.0.2.11:48050 203.0.113.200:443 at=5500ms router=192.0.2.1
		= outcome=unreachable close=never flags=syn-retransmitted syn_count=2 icmp=3/1 icmp_from=192.0.2.1
		c S
		+1s c S
		+2s router icmp:3/1 quotes=c
		tcp [2001:db8:10::10]:48051 [2001:db8:dead::1]:443 at=6500ms router=2001:db8:10::1
		= outcome=unreachable close=never flags=- icmp=1/0 icmp_from=2001:db8:10::1
		c S
		+1ms router icmp:1/0 quotes=c
		tcp 192.0.2.12:48052 198.51.100.22:23 at=7s
		= outcome=unreachable close=never flags=- icmp=3/13 icmp_from=203.0.113.1
		c S
		+9ms router icmp:3/13 quotes=c

		# ssh to the server and to one on another port; mail, where the server speaks first.
		tcp 192.0.2.11:48060 198.51.100.22:22 at=7500ms ts
		= outcome=complete close=open flags=- service=ssh/payload
		c S
		+15ms s SA
		c A
		c PA ssh=OpenSSH_10.0
		+15ms s A
		s PA ssh=OpenSSH_9.2
		c A
		+1s c PA 80
		s PA 400
		c A
		tcp 192.0.2.11:48061 198.51.100.22:2222 at=8s ts
		= outcome=complete close=fin closed_by=client flags=- service=ssh/payload
		c S
		+15ms s SA
		c A
		c PA ssh=OpenSSH_10.0
		s PA ssh=OpenSSH_9.2
		c A
		+3s c FA
		s FA
		c A
		tcp 192.0.2.10:48062 198.51.100.25:587 at=8500ms
		= outcome=complete close=half-close closed_by=client flags=- service=submission/port
		c S
		+28ms s SA
		c A
		+35ms s PA 60
		c PA 30
		s PA 140
		c FA
		s A

		# A download that the reader stops for a while; a request in the SYN; a port used again.
		tcp 192.0.2.10:48070 198.51.100.80:80 at=9s ts
		= outcome=complete close=fin closed_by=server flags=zero-window zero_windows_c2s=1 service=http/payload
		c S
		+20ms s SA
		c A
		c PA get=www.example.com/large
		s A
		s A ok=7000
		s A rest
		s A rest
		s A rest
		s A rest
		c A win=0
		+900ms c A
		s PA rest
		c A
		s FA
		c FA
		s A
		tcp 192.0.2.10:48071 198.51.100.80:80 at=11s ts
		= outcome=complete close=fin closed_by=client flags=fast-open service=http/payload
		c S tfo=5ec0de5ec0de5ec0 get=www.example.com/small
		+20ms s SA
		c A
		s PA ok=80
		c A
		c FA
		s FA
		c A
		tcp 192.0.2.12:48072 198.51.100.80:80 at=12s
		= outcome=complete close=open closed_by=- flags=reused-open
		c S
		+20ms s SA
		c A
		= outcome=complete close=fin closed_by=client flags=-
		+3s c S isn=123456789
		+20ms s SA
		c A
		c PA get=www.example.com/again
		s A
		s PA ok=40
		c A
		c FA
		s FA
		c A

		# NTP works; syslog has no listener.
		udp 192.0.2.10:123 198.51.100.123:123 at=13s
		= outcome=answered close=- flags=-
		c 48
		+17ms s 48
		udp 192.0.2.20:40514 198.51.100.22:514 at=14s
		= outcome=unreachable close=- flags=- icmp=3/3 icmp_from=198.51.100.22
		c 90
		+14ms s icmp:3/3 quotes=c
		icmp 192.0.2.10 198.51.100.80 at=14500ms
		c echo
		+20ms s reply

		# Only the answer of a server that somebody attacks in our name (backscatter).
		tcp 192.0.2.77:31337 198.51.100.80:443 at=15500ms
		= outcome=reply-only close=never flags=one-way
		lost c S
		s SA
	`)
	for i, port := range []int{21, 22, 23, 25, 80, 110, 135, 139, 143, 443, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 9200, 27017} {
		fmt.Fprintf(&b, "tcp 203.0.113.99:54321 192.0.2.20:%d at=%dms\n", port, 16000+35*i)
		if port == 22 {
			b.WriteString("= outcome=aborted close=never closed_by=client flags=-\nc S mss=1460\n+200µs s SA mss=1460\n+40ms c R\n")
			continue
		}
		b.WriteString("= outcome=refused close=never closed_by=server flags=-\nc S mss=1460\n+200µs s RA\n")
	}
	for i := range 12 {
		fmt.Fprintf(&b, "tcp 203.0.113.%d:%d 192.0.2.80:443 at=%dms\n", 140+i, 2000+i*411, 20000+15*i)
		b.WriteString("= outcome=half-open close=never flags=synack-retransmitted synack_count=3\nc S\n+150µs s SA\n+1s s SA\n+2s s SA\n")
	}
	return b.String()
}
