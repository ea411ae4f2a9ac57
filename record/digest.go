package record

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// ErrNoFile is of a path at which something else stands than a file.
var ErrNoFile = errors.New("it is no file")

// Digest is the SHA-256 of a file, in hex. It ends with its context, also in
// the middle of a file, and reads no link and nothing that may never end.
func Digest(ctx context.Context, path string) (string, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() {
		return "", ErrNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, reading{ctx, io.LimitReader(f, st.Size()+1)}); err != nil { // one that grows is another already
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// reading reads as long as its context holds.
type reading struct {
	ctx context.Context
	r   io.Reader
}

func (r reading) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
