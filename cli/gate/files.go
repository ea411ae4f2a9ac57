package gate

import (
	"errors"
	"os"
	"slices"

	"hilrig/record"
)

// flagFile is a file that a flag names.
type flagFile struct{ flag, file string }

// writes are the files that a gate makes.
func (f *flags) writes() []flagFile {
	return slices.DeleteFunc([]flagFile{{"--verdict", f.verdict}, {"--junit", f.junit}, {"--markdown", f.markdown}, {"--statement", f.statement}},
		func(n flagFile) bool { return n.file == "" })
}

// apart refuses to make a file in the place of one that is read, or of another
// that is made: what is there goes first.
func (f *flags) apart() error {
	reads := []flagFile{
		{"--policy", f.policy}, {"--waivers", f.waivers}, {"--firmware-file", f.firmwareFile}, {"--key", f.signing.Key}, {"--sign-public", f.signing.Public},
		{"--baseline", f.baseline}, {"--baseline-key", f.baselineKey},
	}
	for _, key := range f.sealKeys {
		reads = append(reads, flagFile{"--seal-key", key})
	}
	writes := f.writes()
	for i, w := range writes {
		for _, other := range append(writes[:i:i], reads...) {
			if one(w.file, other.file) {
				return record.NewFailure(record.Usage, "write", w.file, errors.New(w.flag+" and "+other.flag+" name one file"))
			}
		}
	}
	return nil
}

// one reports whether two names are one file, which is there or not.
func one(a, b string) bool {
	if b == "" {
		return false
	}
	if a == b {
		st, err := os.Stat(a)
		return err != nil || st.Mode().IsRegular() // a terminal takes all of it
	}
	x, xErr := os.Stat(a)
	y, yErr := os.Stat(b)
	return xErr == nil && yErr == nil && x.Mode().IsRegular() && os.SameFile(x, y)
}

// clear takes away what an earlier gate has written: where this one does not
// come to an answer, none is there.
func (f *flags) clear() error {
	for _, w := range f.writes() {
		st, err := os.Lstat(w.file)
		if err != nil {
			continue // writing it will tell
		}
		if !st.Mode().IsRegular() {
			if w.flag == "--statement" {
				return record.NewFailure(record.Usage, "write", w.file, errors.New("--statement names what is no file to be replaced"))
			}
			continue
		}
		if err := os.Remove(w.file); err != nil {
			return record.NewFailure(record.RigHost, "remove what an earlier gate wrote", "", err)
		}
	}
	return nil
}
