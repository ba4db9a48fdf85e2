package main

// losses has what networks lose, repeat and reorder, and captures lack: the numbers of
// each direction are those of tshark's tcp.analysis.
var losses = []scenario{
	{name: "capture-loss", rule: "a segment that the client acknowledges is not in the capture", script: web + `
		= outcome=complete close=fin closed_by=client flags=- missing_bytes_s2c=1400 completeness=31
		` + established + `
		c PA get=www.example.com/
		s A 1400
		lost s A 1400
		s A 1400
		c A
		` + clientFins},
	{name: "capture-loss-partly-acknowledged", rule: "half of what is not in the capture is acknowledged: that half is missing", script: web + `
		= outcome=complete close=open flags=- missing_bytes_s2c=700
		` + established + `
		lost s A 1400
		s A 1400
		c A ack=-2100`},
	{name: "retransmission", rule: "data sent again are counted as packets, and stay one connection", script: web + `
		= outcome=complete close=fin closed_by=client flags=- packets_s2c=5 payload_bytes_s2c=4200 retransmissions_s2c=1 completeness=31
		` + established + `
		c PA get=www.example.com/
		s A 1400
		s A 1400
		+300ms s A 1400 seq=-1400
		c A
		` + clientFins},
	{name: "retransmission-needless", rule: "data that were acknowledged before are sent again", script: web6 + `
		= outcome=complete close=open flags=- retransmissions_c2s=1 dup_acks_s2c=1
		` + established + `
		c PA 100
		s A
		c PA 100 seq=-100
		s A`},
	{name: "retransmission-acknowledged-before", rule: "the ACK was captured before the data that it acknowledges: they count as sent again", script: web + `
		= outcome=complete close=open flags=- retransmissions_c2s=1 out_of_order_c2s=0 missing_bytes_c2s=0
		` + established + request + `
		+1ms c PA 100
		+-100µs s A
		+1ms c PA 100
		s A`},
	{name: "retransmission-fast", rule: "two duplicate ACKs ask for what was lost, and it comes at once", script: web + `
		= outcome=complete close=open flags=- retransmissions_c2s=1 out_of_order_c2s=0 dup_acks_s2c=2
		c S
		+200ms s SA
		c A
		c A 1000
		+200ms s A
		lost c A 1000
		c A 1000
		c A 1000
		+1ms s A ack=-3000
		+1ms s A ack=-3000
		c A 1000 seq=-3000
		+200ms s A`},
	{name: "retransmission-partial", rule: "what was not seen comes again in parts: the middle, then the rest", script: web + `
		= outcome=complete close=open flags=- retransmissions_s2c=3 missing_bytes_s2c=0
		` + established + `
		lost s A 1500
		s A 1000
		+300ms s A 500 seq=-2000
		+300ms s A 500 seq=-2500
		+300ms s A 500 seq=-1500
		c A`},
	{name: "out-of-order", rule: "a segment was overtaken within a round trip", script: web + `
		= outcome=complete close=open flags=- retransmissions_s2c=0 out_of_order_s2c=1 missing_bytes_s2c=0
		` + established + `
		c PA 100
		s A 1000
		+2ms s A 1000
		+-1ms s A 1000
		+2ms c A`},
	{name: "duplicate-acks", rule: "an older ACK is the last one, too: the next like it is a duplicate", script: web + `
		= outcome=complete close=open flags=- dup_acks_s2c=1 missing_bytes_c2s=1000
		` + established + `
		c A 1000
		s A
		lost c A 1000
		c A 1000
		c A 1000
		s A
		s A ack=-1000
		s A ack=-1000`},
	{name: "everything-at-once", rule: "a history longer than most: loss, repeats, a closed window, and the end", script: web + `
		= outcome=complete close=reset-after-fin closed_by=client flags=zero-window history=ShADdgtawTGWFRfr
		` + established + `
		c PA 100
		s A 100
		c A
		lost s A 100
		s A 100
		c A
		+300ms s A 100 seq=-100
		s A win=0
		s A
		+300ms c PA 100 seq=-100
		lost c PA 100
		c PA 100
		s A
		c A win=0
		c A
		c FA
		c R
		s FA
		s R`},
}
