package service

import (
	"encoding/csv"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBestKnownServices(t *testing.T) {
	const tcp, udp, sctp = protocolTCP, protocolUDP, protocolSCTP
	for _, test := range []struct {
		protocol uint8
		port     uint16
		want     string
	}{
		{tcp, 7, "echo"}, {tcp, 9, "discard"}, {tcp, 13, "daytime"}, {tcp, 19, "chargen"},
		{tcp, 20, "ftp-data"}, {tcp, 21, "ftp"}, {tcp, 22, "ssh"}, {tcp, 23, "telnet"}, {tcp, 25, "smtp"},
		{tcp, 43, "nicname"}, {tcp, 49, "tacacs"}, {tcp, 53, "domain"}, {udp, 53, "domain"},
		{udp, 67, "bootps"}, {udp, 68, "bootpc"}, {udp, 69, "tftp"}, {tcp, 70, "gopher"}, {tcp, 79, "finger"},
		{tcp, 80, "http"}, {udp, 80, "http"}, {sctp, 80, "http"}, {tcp, 88, "kerberos"}, {tcp, 110, "pop3"},
		{tcp, 111, "sunrpc"}, {tcp, 113, "ident"}, {tcp, 119, "nntp"}, {udp, 123, "ntp"}, {tcp, 135, "epmap"},
		{udp, 137, "netbios-ns"}, {udp, 138, "netbios-dgm"}, {tcp, 139, "netbios-ssn"}, {tcp, 143, "imap"},
		{udp, 161, "snmp"}, {udp, 162, "snmptrap"}, {tcp, 179, "bgp"}, {tcp, 389, "ldap"}, {udp, 427, "svrloc"},
		{tcp, 443, "https"}, {udp, 443, "https"}, {tcp, 445, "microsoft-ds"}, {tcp, 465, "submissions"},
		{udp, 500, "isakmp"}, {tcp, 514, "shell"}, {udp, 514, "syslog"}, {tcp, 515, "printer"}, {udp, 520, "router"},
		{tcp, 554, "rtsp"}, {udp, 546, "dhcpv6-client"}, {udp, 547, "dhcpv6-server"}, {tcp, 587, "submission"},
		{tcp, 631, "ipp"}, {tcp, 636, "ldaps"}, {tcp, 853, "domain-s"}, {tcp, 873, "rsync"}, {tcp, 989, "ftps-data"},
		{tcp, 993, "imaps"}, {tcp, 995, "pop3s"}, {tcp, 1080, "socks"}, {udp, 1194, "openvpn"}, {tcp, 1433, "ms-sql-s"},
		{udp, 1701, "l2tp"}, {tcp, 1723, "pptp"}, {udp, 1812, "radius"}, {tcp, 1883, "mqtt"}, {udp, 1900, "ssdp"},
		{tcp, 2049, "nfs"}, {udp, 2152, "gtp-user"}, {tcp, 2379, "etcd-client"}, {tcp, 3306, "mysql"},
		{tcp, 3389, "ms-wbt-server"}, {udp, 3478, "stun"}, {udp, 4500, "ipsec-nat-t"}, {udp, 4789, "vxlan"},
		{tcp, 5060, "sip"}, {udp, 5353, "mdns"}, {udp, 5355, "llmnr"}, {tcp, 5432, "postgresql"}, {tcp, 5672, "amqp"},
		{tcp, 5900, "rfb"}, {tcp, 6000, "x11"}, {tcp, 6063, "x11"}, {udp, 6081, "geneve"}, {tcp, 6379, "redis"},
		{tcp, 8080, "http-alt"}, {tcp, 9100, "pdl-datastream"}, {tcp, 9418, "git"}, {tcp, 11211, "memcache"},
		{tcp, 27017, "mongodb"}, {sctp, 2905, "m3ua"}, {sctp, 3868, "diameter"},
		{protocolUDPLite, 53, "domain"}, // UDP-Lite shares UDP's ports
		{tcp, 6443, "sun-sr-https"},     // IANA's name, whoever uses it: Common says the rest
		{tcp, 3323, "active-net"},       // a range for which the registry names no transport
		{tcp, 0, ""}, {tcp, 6064, "ndl-ahp-svc"}, {tcp, 1491, ""}, {udp, 6379, ""}, {tcp, 7775, "inetfs"}, {tcp, 7774, ""}, {tcp, 7776, ""},
		{tcp, 49152, ""}, {tcp, 65535, ""}, {1, 80, ""}, {47, 443, ""},
	} {
		name, ok := Lookup(test.protocol, test.port)
		if name != test.want || ok != (test.want != "") {
			t.Errorf("Lookup(%d, %d) = %q, %v; want %q", test.protocol, test.port, name, ok, test.want)
		}
		if Registered(test.protocol, test.port) != ok {
			t.Errorf("Registered(%d, %d) does not agree with Lookup", test.protocol, test.port)
		}
	}
}

// TestTablesHoldTheRegistry looks every row of the source file up.
func TestTablesHoldTheRegistry(t *testing.T) {
	f, err := os.Open("services.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	protocols := map[string]uint8{"tcp": protocolTCP, "udp": protocolUDP, "sctp": protocolSCTP, "dccp": protocolDCCP}
	for _, record := range records[1:] {
		low, high, isRange := strings.Cut(record[1], "-")
		if !isRange {
			high = low
		}
		for _, text := range []string{low, high} {
			n, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			port := uint16(n)
			found := slices.ContainsFunc(Entries(port), func(e Entry) bool {
				return e.Name == record[0] && e.Transport == record[2] && e.Description == record[3] && e.Low <= port && port <= e.High
			})
			// Two unassigned ranges of the registry include a port that was assigned later.
			if !found && !(record[0] == "" && record[2] == "" && isRange && len(Entries(port)) > 0) {
				t.Errorf("%q is not in Entries(%d)", record, port)
			}
			if record[0] == "" || record[2] == "" {
				continue
			}
			if !Registered(protocols[record[2]], port) {
				t.Errorf("%s port %d is not registered", record[2], port)
			}
		}
		if record[0] != "" {
			named := ByName(strings.ToUpper(record[0]))
			if !slices.ContainsFunc(named, func(e Entry) bool { return e.Name == record[0] && e.Transport == record[2] }) {
				t.Errorf("ByName(%q) does not find %q", strings.ToUpper(record[0]), record)
			}
		}
	}
	if len(records) != 13445 {
		t.Errorf("the registry has %d rows, want 13444", len(records)-1)
	}
}

func TestEntries(t *testing.T) {
	for _, test := range []struct {
		rule string
		port uint16
		want []Entry
	}{
		{"a service has an entry for each transport", 22, []Entry{
			{"ssh", 22, 22, "tcp", "The Secure Shell (SSH) Protocol"},
			{"ssh", 22, 22, "udp", "The Secure Shell (SSH) Protocol"},
			{"ssh", 22, 22, "sctp", "SSH"},
		}},
		{"a range is found by a port inside", 6030, []Entry{
			{"x11", 6000, 6063, "tcp", "X Window System"},
			{"x11", 6000, 6063, "udp", "X Window System"},
		}},
		{"reserved for one transport, a service on the other", 6379, []Entry{
			{"redis", 6379, 6379, "tcp", "An advanced key-value cache and store"},
			{"", 6379, 6379, "udp", "Reserved"},
		}},
		{"unassigned has no transport", 1491, []Entry{{"", 1491, 1491, "", "Unassigned"}}},
		{"unassigned range", 920, []Entry{{"", 916, 952, "", "Unassigned"}}},
		{"dynamic ports have no entry", 50000, nil},
	} {
		if diff := cmp.Diff(test.want, Entries(test.port)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.rule, diff)
		}
	}
}

func TestByName(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"https", "443 tcp,443 udp,443 sctp"},
		{"HTTPS", "443 tcp,443 udp,443 sctp"},
		{"www", "80 tcp,80 udp"},
		{"x11", "6000 tcp,6000 udp"},
		{"syslog", "514 udp"},
		{"EtherNet/IP-1", "2222 tcp,2222 udp"},
		{"active-net", "3322 "},
		{"", ""},
		{"zzzz", ""},
		{"http\x00", ""},
	} {
		var got []string
		for _, e := range ByName(test.name) {
			got = append(got, strconv.Itoa(int(e.Low))+" "+e.Transport)
		}
		if strings.Join(got, ",") != test.want {
			t.Errorf("ByName(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCommonStandsBesideTheRegistry(t *testing.T) {
	for i, u := range usages {
		if i > 0 && usages[i-1].port >= u.port {
			t.Errorf("port %d is not in order", u.port)
		}
		for _, protocol := range []uint8{protocolTCP, protocolUDP} {
			if name, ok := Lookup(protocol, u.port); ok && strings.EqualFold(name, u.name) {
				t.Errorf("port %d: the registry says %q itself", u.port, name)
			}
		}
	}
	for _, test := range []struct {
		protocol uint8
		port     uint16
		want     string
	}{
		{protocolTCP, 6443, "kubernetes-api"}, {protocolTCP, 9092, "kafka"}, {protocolUDP, 51820, "wireguard"},
		{protocolTCP, 51820, ""}, {protocolTCP, 443, ""}, {1, 6443, ""},
	} {
		if got, ok := Common(test.protocol, test.port); got != test.want || ok != (test.want != "") {
			t.Errorf("Common(%d, %d) = %q, want %q", test.protocol, test.port, got, test.want)
		}
	}
}

func TestCommonByName(t *testing.T) {
	want := []Entry{{"elasticsearch", 9200, 9200, "tcp", ""}, {"elasticsearch", 9300, 9300, "tcp", ""}}
	if diff := cmp.Diff(want, CommonByName("ElasticSearch")); diff != "" {
		t.Error(diff)
	}
	if got := CommonByName("https"); got != nil {
		t.Errorf("CommonByName of a registered service = %v", got)
	}
}

func TestNearest(t *testing.T) {
	for _, test := range []struct{ name, first string }{
		{"htpt", "http"}, {"htps", "https"}, {"httsp", "https"}, {"domian", "domain"}, {"HTTPS", "https"}, {"posgresql", "postgresql"},
		{"qqqqqqqqqq", ""}, {"", ""}, {strings.Repeat("a", 1000), ""},
	} {
		got := Nearest(test.name, 3)
		if len(got) > 3 {
			t.Errorf("Nearest(%q, 3) gives %d names", test.name, len(got))
		}
		if test.first == "" {
			if len(got) > 0 {
				t.Errorf("Nearest(%q) = %q, want none", test.name, got)
			}
			continue
		}
		if len(got) == 0 || got[0] != test.first {
			t.Errorf("Nearest(%q) = %q, want %q first", test.name, got, test.first)
		}
	}
	if got := Nearest("http", 0); got != nil {
		t.Errorf("Nearest with 0 names = %q", got)
	}
}

func TestRangesShareThePorts(t *testing.T) {
	for _, test := range []struct {
		port uint16
		want string
	}{
		{0, "well-known"}, {1023, "well-known"}, {1024, "registered"}, {49151, "registered"}, {49152, "dynamic"}, {65535, "dynamic"},
	} {
		r := RangeOf(test.port)
		if low, high := r.Bounds(); r.String() != test.want || test.port < low || test.port > high {
			t.Errorf("port %d: %s %d-%d, want %s", test.port, r, low, high, test.want)
		}
	}
	for r := WellKnown; r < NumRanges; r++ {
		if r.Rule() == "" {
			t.Errorf("%s has no rule", r)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		Lookup(protocolTCP, 443)
		Lookup(protocolTCP, 60000)
		Common(protocolTCP, 9092)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNoInit runs this test's own binary with the runtime's trace of package
// initialisation: a table that is built at start would show there.
func TestNoInit(t *testing.T) {
	if os.Getenv("GODEBUG") == "inittrace=1" {
		return
	}
	if testing.CoverMode() != "" {
		t.Skip("coverage has an initialisation of its own")
	}
	executable, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(executable, "-test.run=^TestNoInit$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "init sockscope/") {
			t.Error(line)
		}
	}
	if !strings.Contains(string(out), "init ") {
		t.Errorf("no trace in %q", out)
	}
}

func BenchmarkLookup(b *testing.B) {
	for name, port := range map[string]uint16{"registered": 443, "none": 60000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Lookup(protocolTCP, port)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		var port uint16
		for b.Loop() {
			Lookup(protocolTCP, port)
			port += 7919
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Nearest("htps", 3)
	}
}

func TestRegisteredAgreesWithLookup(t *testing.T) {
	for _, protocol := range []uint8{0, 1, protocolTCP, protocolUDP, protocolUDPLite, protocolSCTP, protocolDCCP, 255} {
		for port := range 1 << 16 {
			if _, ok := Lookup(protocol, uint16(port)); Registered(protocol, uint16(port)) != ok {
				t.Fatalf("Registered(%d, %d) = %v", protocol, port, !ok)
			}
		}
	}
}
