package console

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Set is files that belong together, on their way to a device: as the guide has
// them, the root, the certificate and the key.
type Set struct {
	Files []File
	Begin func(File) (progress func(sent, total int), done func()) // before each file; may be nil
	Took  func(File, Receipt)                                      // after each that was answered with OK; may be nil
}

// leaveWithin bounds bringing the console back at the end.
const leaveWithin = 5 * time.Second

// LoadSet waits until the console listens, for at most so long, and transfers
// the files in order. Where one fails it brings the console back, so that the
// next person at it types a command, and says what the device holds then: empty
// where that is what it held before.
func (c *Console) LoadSet(ctx context.Context, within time.Duration, s Set) (holds string, err error) {
	if _, err := c.Wake(ctx, within); err != nil {
		return "", err
	}
	var taken []string
	for _, f := range s.Files {
		r, err := c.loadOne(ctx, f, s)
		if err != nil {
			c.leave(ctx)
			return holding(taken, f.Name, r.Opened), err
		}
		taken = append(taken, f.Name)
	}
	return "", nil
}

func (c *Console) loadOne(ctx context.Context, f File, s Set) (Receipt, error) {
	done := func() {}
	if s.Begin != nil {
		f.Progress, done = s.Begin(f)
	}
	r, err := c.Transfer(ctx, f)
	done()
	if err == nil && s.Took != nil {
		s.Took(f, r)
	}
	return r, err
}

// leave ends a file that is open.
func (c *Console) leave(ctx context.Context) {
	if !c.InFile() || c.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	if err := c.Recover(ctx); err != nil {
		c.log.Warn("console not brought back", "err", err)
	}
}

// holding says what a device holds that took some files, and then not this one.
func holding(taken []string, name string, opened bool) string {
	what := "the device has taken " + strings.Join(taken, " and ")
	switch {
	case !opened && len(taken) == 0:
		return ""
	case len(taken) == 0:
		what = "the device has taken none of them for certain"
	}
	if opened {
		what += fmt.Sprintf("; what it made of %s is not known", name)
	}
	return what
}
