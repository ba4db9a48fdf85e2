package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A rule says what the packages of one folder may import besides the standard
// library: of ours, and of others by the beginning of the import path.
type rule struct {
	ours   []string
	others []string
}

// rules is the direction of imports: capture → decode → report, cmd wires.
var rules = map[string]rule{
	"capture":               {},
	"capture/pcapfile":      {[]string{"capture"}, []string{"github.com/klauspost/compress", "github.com/pierrec/lz4", "github.com/ulikunitz/xz"}},
	"capture/poller":        {nil, []string{"golang.org/x/sys/unix"}},
	"capture/ring":          {[]string{"capture", "capture/filter", "capture/poller"}, []string{"golang.org/x/sys/unix", "golang.org/x/net/bpf", "github.com/vishvananda/netlink"}},
	"capture/filter":        {[]string{"capture"}, []string{"golang.org/x/net/bpf"}},
	"capture/lab":           {[]string{"capture", "capture/ring"}, []string{"golang.org/x/sys/unix", "github.com/vishvananda/netlink"}},
	"capture/privilege":     {[]string{"capture"}, []string{"golang.org/x/sys/unix"}},
	"capture/process":       {[]string{"capture", "capture/poller"}, []string{"golang.org/x/sys/unix", "github.com/vishvananda/netlink", "github.com/cilium/ebpf"}},
	"decode":                {[]string{"capture"}, nil},
	"decode/flow":           {[]string{"capture", "decode"}, nil},
	"decode/engine":         {[]string{"capture", "decode", "decode/flow"}, nil},
	"report":                {[]string{"capture", "decode", "decode/flow", "report/service"}, []string{"github.com/clipperhouse/displaywidth"}},
	"report/service":        {},
	"report/page":           {[]string{"report"}, nil},
	"report/words":          {nil, []string{"github.com/clipperhouse/displaywidth", "golang.org/x/text"}},
	"report/explain":        {[]string{"capture", "decode", "decode/flow", "report", "report/service", "report/words"}, []string{"github.com/google/gopacket"}},
	"report/explain/bits":   {[]string{"capture", "report/words"}, []string{"github.com/google/gopacket"}},
	"report/explain/quiz":   {[]string{"capture", "decode", "decode/flow", "report", "report/explain", "report/service", "report/words"}, nil},
	"report/explain/ladder": {[]string{"capture", "decode", "decode/flow", "report", "report/explain", "report/words"}, nil},
	"cmd/sockscope": {
		[]string{"capture", "capture/pcapfile", "capture/ring", "capture/filter", "capture/lab", "capture/privilege", "capture/process",
			"decode", "decode/flow", "decode/engine", "report", "report/service", "report/page", "report/explain", "report/explain/bits", "report/explain/ladder", "report/explain/quiz", "report/words"},
		[]string{"github.com/spf13/pflag", "golang.org/x/term", "golang.org/x/sys/unix"}, // what the terminal and standard output are
	},
}

// A sourceFile is one Go file of the program, tests left out.
type sourceFile struct {
	name   string // relative to the module's root
	folder string
	ast    *ast.File
}

func sourceFiles(t *testing.T, set *token.FileSet) []sourceFile {
	t.Helper()
	const root = "../.."
	var files []sourceFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if f.Name.Name == "main" && filepath.ToSlash(filepath.Dir(name)) != root+"/cmd/sockscope" {
			return nil // a generator that go generate runs
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		files = append(files, sourceFile{filepath.ToSlash(relative), filepath.ToSlash(filepath.Dir(relative)), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// allowed reports whether a file of folder may import the package at p.
func allowed(folder, p string) bool {
	r, known := rules[folder]
	if !known {
		return false
	}
	if ours, ok := strings.CutPrefix(p, "sockscope/"); ok {
		return slices.Contains(r.ours, ours)
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	return slices.ContainsFunc(r.others, func(o string) bool { return p == o || strings.HasPrefix(p, o+"/") })
}

func TestImportsGoOneWay(t *testing.T) {
	set := token.NewFileSet()
	for _, f := range sourceFiles(t, set) {
		if _, known := rules[f.folder]; !known {
			t.Errorf("%s: no rule for the folder %s", f.name, f.folder)
			continue
		}
		for _, spec := range f.ast.Imports {
			if p := strings.Trim(spec.Path.Value, `"`); !allowed(f.folder, p) {
				t.Errorf("%s: %s must not import %s", set.Position(spec.Pos()), f.folder, p)
			}
		}
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct {
		name, folder, path string
		want               bool
	}{
		{"the standard library is for all", "decode", "encoding/binary", true},
		{"with the stream", "decode", "sockscope/capture", true},
		{"against the stream", "capture", "sockscope/decode", false},
		{"nobody imports cmd", "report", "sockscope/cmd/sockscope", false},
		{"another's package where the table has it", "report", "github.com/clipperhouse/displaywidth", true},
		{"a version of it", "capture/pcapfile", "github.com/pierrec/lz4/v4", true},
		{"another's package where the table has not", "decode", "github.com/google/gopacket", false},
		{"a name that only begins alike", "capture/pcapfile", "github.com/ulikunitz/xzzz", false},
		{"a folder without a rule", "util", "fmt", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := allowed(tt.folder, tt.path); got != tt.want {
				t.Errorf("allowed(%q, %q) = %v", tt.folder, tt.path, got)
			}
		})
	}
}

// under reports whether a folder is one of roots or below one.
func under(folder string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return folder == r || strings.HasPrefix(folder, r+"/") })
}

// clockFunctions read or wait for the clock.
var clockFunctions = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep"}

// TestTimeComesWithTheFrame holds decode and report to the frames' clock.
func TestTimeComesWithTheFrame(t *testing.T) {
	set := token.NewFileSet()
	for _, f := range sourceFiles(t, set) {
		if !under(f.folder, "decode", "report") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockFunctions, s.Sel.Name) {
					t.Errorf("%s: time.%s", set.Position(n.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestGoroutinesHaveFewOwners holds all but five packages to one goroutine.
func TestGoroutinesHaveFewOwners(t *testing.T) {
	set := token.NewFileSet()
	for _, f := range sourceFiles(t, set) {
		if under(f.folder, "decode/engine", "capture/pcapfile", "capture/process", "capture/lab", "cmd/sockscope") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: starts a goroutine", set.Position(n.Pos()))
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" {
					t.Errorf("%s: starts a goroutine", set.Position(n.Pos()))
				}
			}
			return true
		})
	}
}
