#!/usr/bin/env python3
"""Makes a folder like this one of any captures whose truth is known.

  tables.py TRUTH CAPTURES OUT

TRUTH has one JSON file for each capture: what tshark says of it ("flows") and, under
"peers", what Zeek logs. OUT gets links to the captures and the three tables that the
tests compare with; lists of differences that are there already stay. Then

  go test ./cmd/sockscope -run 'Corpus' -args -corpus OUT

compares, and with -update writes the lists of differences and agreement.tsv. What has no
reason yet stands there with "?".
"""
import collections, glob, ipaddress, json, os, re, sys

# Outcomes of the truth that have another name here.
OUTCOMES = {
    'no_reply': 'unanswered', 'no_reply_client_reset': 'unanswered', 'half_open': 'half-open',
    'half_open_reset': 'aborted', 'synack_reset': 'aborted', 'simultaneous': 'complete',
    'syn_then_other': 'implied', 'client_side_only': 'implied', 'synack_only': 'reply-only',
}

TRUTH_HEAD = '''# TCP, UDP and SCTP flows of each capture as tshark 4.0.17 sees them: lower endpoint first, then packets,
# IP bytes and frame bytes, each from the lower endpoint and to it. "frames" lines give the number of frames.
file	proto	low	high	packets	packets_back	ip_bytes	ip_bytes_back	frame_bytes	frame_bytes_back
'''
STREAMS_HEAD = '''# TCP streams of each capture as tshark 4.0.17 sees them: lower endpoint first, then the outcome that follows from its fields, in our words;
# tcp.completeness; nanoseconds from the only SYN to the ACK of the SYN-ACK (- when there are more, or no ACK); and how many segments
# tcp.analysis calls what the columns say, in both directions together.
file	low	high	outcome	completeness	round_trip	retransmissions	out_of_order	dup_acks	zero_windows	keep_alives
'''
ZEEK_HEAD = '''# Connections as Zeek logs them (conn.log), lower endpoint first.
file	proto	low	high	conn_state	history
'''


def endpoint(ip, port):
    """What sorts an endpoint, and how it is written."""
    ip = ipaddress.ip_address(ip)
    text = f'[{ip}]:{port}' if ip.version == 6 else f'{ip}:{port}'
    return (ip.version, int(ip), int(port)), text


def ends(a, b):
    """Both endpoints as written, the lower one first, and whether they were swapped."""
    (low, a), (high, b) = endpoint(*a), endpoint(*b)
    return (b, a, True) if high < low else (a, b, False)


def flow_line(name, flow):
    low, high, swapped = ends(flow['client'], flow['server'])
    numbers = []
    for column in ('packets', 'ip_bytes', 'frame_bytes'):
        numbers += reversed(flow[column]) if swapped else flow[column]
    return [name, flow['proto'], low, high, *numbers]


def stream_line(name, flow):
    low, high, _ = ends(flow['client'], flow['server'])
    round_trip = '-'
    if flow.get('rtt') is not None and sum(flow['syn']) == 1:
        round_trip = round(flow['rtt'] * 1e9)
    counts = [flow['analysis'].get(k, 0) for k in ('retrans', 'ooo', 'dup_ack', 'zero_win', 'keepalive')]
    return [name, low, high, OUTCOMES.get(flow['outcome'], flow['outcome']), flow['completeness'], round_trip, *counts]


def zeek_lines(name, truth):
    """The connections of the first of Zeek's own tests that logs the capture's connections as they are."""
    for log in truth.get('peers', {}).get('zeek', []):
        for conn in log['conns']:
            if conn['proto'] in ('tcp', 'udp'):
                low, high, _ = ends((conn['id.orig_h'], conn['id.orig_p']), (conn['id.resp_h'], conn['id.resp_p']))
                yield [name, conn['proto'], low, high, conn['conn_state'], conn['history']]
        return


def frames(truth):
    """How many frames the capture has: tshark also counts blocks of a pcapng that hold none."""
    container = truth['container']
    own = container['packets'] if container['format'] == 'pcapng' and not container['comp'] else 0
    return own or truth['tshark']['packets']


def main(truth_dir, captures, out):
    os.makedirs(out, exist_ok=True)
    tables = collections.defaultdict(list)
    for path in sorted(glob.glob(os.path.join(truth_dir, '*.json'))):
        with open(path) as f:
            truth = json.load(f)
        capture = truth['capture']
        name = capture['id'] + '-' + re.sub(r'[^A-Za-z0-9._-]', '_', os.path.basename(capture['file']))
        link = os.path.join(out, name)
        if not os.path.lexists(link):
            os.symlink(os.path.abspath(os.path.join(captures, capture['file'])), link)
        tables['truth.tsv'].append([name, 'frames', frames(truth)])
        for flow in truth['flows']:
            tables['truth.tsv'].append(flow_line(name, flow))
            if flow['proto'] == 'tcp':
                tables['streams.tsv'].append(stream_line(name, flow))
        tables['zeek.tsv'] += zeek_lines(name, truth)
    for table, head in ('truth.tsv', TRUTH_HEAD), ('streams.tsv', STREAMS_HEAD), ('zeek.tsv', ZEEK_HEAD):
        with open(os.path.join(out, table), 'w') as f:
            f.write(head)
            for line in tables[table]:
                f.write('\t'.join(map(str, line)) + '\n')


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
