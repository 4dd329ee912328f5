package examples

import (
	"embed"
	"io/fs"
)

//go:embed sequences/*.md
var files embed.FS

// Sequences is the folder of example sequences, by which nudge new begins.
func Sequences() fs.FS {
	folder, err := fs.Sub(files, "sequences")
	if err != nil {
		panic(err) // the name above is a valid one
	}
	return folder
}
