package record

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
)

// Found are the files and folders in a folder that fit a pattern with slashes,
// in order. The folder's own name has no meaning, as it has for [filepath.Glob]:
// somebody may call it [lab].
func Found(dir, pattern string) []string {
	dir = cmp.Or(dir, ".")
	names, _ := fs.Glob(os.DirFS(dir), pattern) // patterns are ours; what cannot be read is not found
	for i, name := range names {
		names[i] = filepath.Join(dir, filepath.FromSlash(name))
	}
	return names
}
