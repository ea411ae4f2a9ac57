package named

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"hilrig/record"
	"hilrig/record/dsse"
)

// Text reads a file that a person wrote, of at most 1 MiB. What is its kind, as
// the error says it.
func Text(what, path string) ([]byte, error) { return TextUpTo(1<<20, what, path) }

// TextUpTo reads a file that somebody named, of at most so many bytes: it may be
// a device that never ends. What is longer is an error.
func TextUpTo(most int64, what, path string) ([]byte, error) {
	if dsse.IsPrivateKey(path) {
		return nil, record.NewFailure(record.Usage, "read "+what, "", errors.New("a key itself is given in place of a file's name; it is not shown")).
			WithCure("a key goes into a file, or into a variable that --key-env names")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read "+what, "", err).WithCure(maker(what, path, err))
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read "+what, "", err)
	}
	if int64(len(b)) > most {
		return nil, record.NewFailure(record.Usage, "read "+what, path, fmt.Errorf("it has at most %d bytes", most))
	}
	return b, nil
}

// maker is what makes a file that was named and is not there, empty where
// nothing does.
func maker(what, path string, err error) string {
	if !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	switch what {
	case "policy":
		return "hilrig gate init latest > " + path + " writes one"
	case "waivers":
		return "hilrig schema waivers says what it may hold"
	case "signing key":
		return "openssl genpkey -algorithm ed25519 -out " + path + " makes one"
	case "public key":
		return "openssl pkey -in PRIVATE-KEY -pubout -out " + path + " makes one"
	}
	return ""
}
