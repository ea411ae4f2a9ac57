package doctor

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"hilrig/certs"
	"hilrig/record"
)

// runsOut is how long before its end a certificate is told of.
const runsOut = 30 * 24 * time.Hour

// checkCertificates reads the rig's own store and the root that the rig file
// names. It makes none: the first run does.
func checkCertificates(_ context.Context, h *Host) (found []Result) {
	var names []string
	if h.StateDir != "" {
		names = record.Found(h.StateDir, "pki/*.pem")
	}
	cure := "nothing to do: the next run renews it"
	for _, name := range names {
		found = append(found, checkCertificate(name, cure, warn, h.Now()))
	}
	if h.Rig.Hub.Root != "" {
		found = append(found, checkCertificate(h.Rig.Hub.Root, "hub.root names the file of the hub's present root", bad, h.Now()))
	}
	for _, d := range h.Rig.Devices {
		if g := d.AfterRun; g != nil {
			cure := "after_run of " + d.Name + " names files that a fleet device can work with"
			found = append(found, checkCertificate(g.Root, cure, bad, h.Now()), checkCertificate(g.Certificate, cure, bad, h.Now()))
		}
	}
	if len(found) == 0 {
		found = append(found, fine("none yet; the first run makes them"))
	}
	return found
}

// checkCertificate judges one file. One that has run out is spent: of those
// that runs renew that is a warning, of others no run can do with it.
func checkCertificate(name, cure string, spent func(cure, what string, args ...any) Result, now time.Time) Result {
	data, err := certs.ReadFile(name)
	if err != nil {
		return bad("check its owner and mode", "%s", certs.Unread("read", name, err))
	}
	c, err := certs.ParseCertificate(data)
	if err != nil {
		return bad(cmp.Or(certs.Cure(err, certs.KindCertificate, name), "move it away: the next run makes another of the rig's own"), "%s: %s", name, err)
	}
	until := c.NotAfter.UTC().Format(time.DateOnly)
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		return bad("set the clock", "%s is valid only from %s", name, c.NotBefore.UTC().Format(time.DateOnly))
	case left <= 0:
		return spent(cure, "%s ran out on %s", name, until)
	case left < runsOut:
		return warn(cure, "%s runs out on %s", name, until)
	}
	return fine("%s until %s", filepath.Base(name), until)
}
