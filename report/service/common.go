package service

// A usage is what a port is commonly used for.
type usage struct {
	port       uint16
	transports uint8 // bits as in rowTransports
	name       string
}

const (
	overTCP  = 1
	overUDP  = 2
	overBoth = overTCP | overUDP
)

// usages are ports where the registry has nothing, or something that is hardly
// ever met, while nearly all traffic is of one well-known program; sorted by port.
// A port with several common uses is left out: the registry's word is no worse then.
var usages = [...]usage{
	{1521, overTCP, "oracle-db"},
	{2181, overTCP, "zookeeper"},
	{3128, overTCP, "squid-proxy"},
	{4222, overTCP, "nats"},
	{4318, overTCP, "otlp-http"},
	{5044, overTCP, "beats"},
	{5201, overBoth, "iperf3"},
	{5601, overTCP, "kibana"},
	{5938, overBoth, "teamviewer"},
	{6443, overTCP, "kubernetes-api"},
	{7946, overBoth, "serf"},
	{8000, overTCP, "http-alt"},
	{8009, overTCP, "ajp13"},
	{8086, overTCP, "influxdb"},
	{8125, overUDP, "statsd"},
	{8200, overTCP, "vault"},
	{8301, overBoth, "consul-serf"},
	{8333, overTCP, "bitcoin"},
	{8443, overTCP, "https-alt"},
	{8472, overUDP, "vxlan"},
	{8500, overTCP, "consul"},
	{8888, overTCP, "http-alt"},
	{9001, overTCP, "tor"},
	{9042, overTCP, "cassandra"},
	{9050, overTCP, "tor-socks"},
	{9090, overTCP, "prometheus"},
	{9092, overTCP, "kafka"},
	{9200, overTCP, "elasticsearch"},
	{9300, overTCP, "elasticsearch"},
	{9411, overTCP, "zipkin"},
	{9735, overTCP, "lightning"},
	{10000, overTCP, "webmin"},
	{10250, overTCP, "kubelet"},
	{15672, overTCP, "rabbitmq"},
	{19132, overUDP, "minecraft"},
	{19302, overUDP, "stun"},
	{24007, overTCP, "glusterfs"},
	{24224, overBoth, "fluentd"},
	{25565, overTCP, "minecraft"},
	{26379, overTCP, "redis-sentinel"},
	{27015, overBoth, "source-engine"},
	{27018, overTCP, "mongodb"},
	{27019, overTCP, "mongodb"},
	{30303, overBoth, "ethereum"},
	{41641, overUDP, "tailscale"},
	{50051, overTCP, "grpc"},
	{51413, overBoth, "bittorrent"},
	{51820, overUDP, "wireguard"},
	{61616, overTCP, "activemq"},
	{64738, overBoth, "mumble"},
}

// Common gives the program or service that a port of a transport is commonly
// met with, where the registry's name misleads or is absent. It stands beside the
// name of Lookup and never replaces it: nobody assigned it.
func Common(protocol uint8, port uint16) (name string, ok bool) {
	bit := transportBit(protocol)
	low, high := 0, len(usages)
	for low < high {
		middle := int(uint(low+high) / 2)
		if usages[middle].port < port {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(usages) && usages[low].port == port && usages[low].transports&bit != 0 {
		return usages[low].name, true
	}
	return "", false
}

// CommonByName gives the ports that a program or service is commonly met on though
// the registry does not say so, whatever the name's case. Their Description is empty.
func CommonByName(name string) []Entry {
	var entries []Entry
	for _, u := range usages {
		if !equalFold(u.name, name) {
			continue
		}
		for bit, transport := range transportNames {
			if u.transports&(1<<bit) != 0 {
				entries = append(entries, Entry{Name: u.name, Low: u.port, High: u.port, Transport: transport})
			}
		}
	}
	return entries
}
