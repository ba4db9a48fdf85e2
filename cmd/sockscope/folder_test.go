package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A name that somebody takes while the file is written stays theirs.
func TestFinishTakesNoName(t *testing.T) {
	dir := t.TempDir()
	for _, rename := range []struct {
		name string
		new  func(*os.Root, string, string) error
	}{{"the system's", renameNew}, {"by a link", renameByLink}} {
		t.Run(rename.name, func(t *testing.T) {
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			for name, content := range map[string]string{"from": "new", "taken": "old"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := rename.new(root, "from", "taken"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("error %v", err)
			}
			if err := rename.new(root, "from", "free"); err != nil {
				t.Error(err)
			}
			if got := listing(t, dir); got != "free taken" {
				t.Errorf("files %s", got)
			}
			if content, err := os.ReadFile(filepath.Join(dir, "taken")); err != nil || string(content) != "old" {
				t.Errorf("%q, %v", content, err)
			}
			os.Remove(filepath.Join(dir, "free"))
		})
	}
	d, name, err := openFolder(filepath.Join(dir, "taken2"), false)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "taken2"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.finish(); err == nil || !strings.Contains(err.Error(), "stays in taken2.part") {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "taken2")); err != nil || string(content) != "theirs" {
		t.Errorf("%q, %v", content, err)
	}
}
