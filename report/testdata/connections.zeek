#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	conn
#open	2024-02-29-23-59-58
#fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	proto	service	duration	orig_bytes	resp_bytes	conn_state	local_orig	local_resp	missed_bytes	history	orig_pkts	orig_ip_bytes	resp_pkts	resp_ip_bytes	tunnel_parents	ip_proto
#types	time	string	addr	port	addr	port	enum	string	interval	count	count	string	bool	bool	count	string	count	count	count	count	set[string]	count
1709251198.123456	CykEXb5j8GIpnIbdHO	192.0.2.10	49152	198.51.100.7	443	tcp	ssl	5.000000	2800	1790000000	SF	-	-	0	ShADadFf	12	3288	1234567	1850000000	-	6
1709251199.000000	CPcZCYvmc2dnPLnJLH	2001:db8::1	50000	2001:db8:0:1:2:3:4:5	8080	tcp	-	0.000500	0	0	REJ	-	-	0	Sr	1	80	1	60	-	6
1709251200.000000	CJvWAJu9Lq1jdrfrMO	10.0.0.1	40000	10.9.9.9	22	tcp	-	0.000000	0	0	S0	-	-	0	S	0	0	0	0	-	6
1709251201.000000	C4sfr537Ou6W35VvfU	10.0.0.1	40001	10.9.9.9	23	tcp	-	15.000000	0	0	S0	-	-	0	S	0	0	0	0	-	6
1709251198.000000	CTv4eZoT2guFgsHH3E	10.0.0.1	40002	10.9.9.9	80	tcp	-	0.000000	0	0	S1	-	-	0	Sh	0	0	0	0	-	6
1709251198.000000	CYjvPoJW4AlFLosPkG	10.0.0.1	40003	10.9.9.9	80	tcp	-	0.000000	0	0	-	-	-	0	-	0	0	0	0	-	6
1709251198.000000	CkZZP3RIrQRNoAB7wO	10.0.0.1	40004	10.9.9.9	80	tcp	-	0.000000	0	0	-	-	-	0	-	0	0	0	0	-	6
1709251198.000000	CufJqG64n0aWOjaX8m	10.0.0.1	40005	10.9.9.9	80	tcp	-	0.000000	0	0	-	-	-	0	-	0	0	0	0	-	6
1709251198.000000	C2fkwC1KhUZFThbLLD	10.0.0.1	40006	10.9.9.9	80	tcp	-	0.000000	0	0	-	-	-	0	-	0	0	0	0	-	6
-	CUI49Cp7fftauw7kUj	10.0.0.1	40007	10.9.9.9	80	tcp	-	-	0	0	-	-	-	0	-	0	0	0	0	-	6
1709251198.000000	CZcNluYZnAp8amqnYQ	192.168.1.52	54585	8.8.8.8	53	udp	dns	12.345678	32	48	SF	-	-	0	Dd	1	60	1	76	-	17
1709251198.000000	C8VqZwVMsJmbMqoTwo	fe80::1	0	fe80::2	0	icmp	-	3600.000000	0	0	-	-	-	0	-	0	0	0	0	-	58
1709251198.000000	C1tbbcToJ2fu4YEyej	10.0.0.1	0	10.0.0.2	0	unknown_transport	-	3600.000000	0	0	-	-	-	0	-	0	0	0	0	-	47
1709251198.000000	CJoHpNeOmiet7aA5FI	192.168.170.8	7	192.168.170.56	7	unknown_transport	-	0.000000	0	0	-	-	-	0	-	0	0	0	0	-	132
#close	2024-03-01-00-59-58
