package onboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/certs"
	"hilrig/record"
)

// watchHub is the hub that a board is watched at, and what is loaded for it.
type watchHub struct {
	*localhub.Hub // nil where elsewhere
	at            net.Addr
	root          []byte
	identity      *certs.Identity
	what          string // is loaded, for people
	elsewhere     bool   // the root is another hub's: nothing will be seen here
	shut          func()
}

// openHub starts the hub before the board is touched: a port that is taken, or
// a file that is wrong, is found here.
func (r Request) openHub(ctx context.Context, log *slog.Logger) (*watchHub, error) {
	var err error
	h := &watchHub{shut: func() {}, what: "this machine's test root and a fresh identity"}
	if h.root, h.identity, err = r.filesToLoad(ctx); err != nil {
		return nil, err
	}
	server, err := r.Store.Server(ctx, r.Host)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Root != "":
		h.what = fmt.Sprintf("%s, %s and %s", r.Root, r.Certificate, r.Key)
		h.elsewhere = string(h.root) != string(r.Store.Root().PEM)
	case r.Certificate != "":
		h.what = fmt.Sprintf("this machine's test root, %s and %s", r.Certificate, r.Key)
	}
	if h.elsewhere {
		return h, nil
	}
	print := certs.ThumbprintsOf(h.identity.Certificate).SHA256
	h.Hub, err = localhub.New(localhub.Config{
		Host: r.Host, For: r.DeviceID, Certificate: server, Log: log, Devices: []hub.Device{{ID: r.DeviceID, Thumbprints: []string{print}}},
	})
	if err != nil {
		return nil, record.NewFailure(record.RigHub, "start", "local hub", err)
	}
	h.shut = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			log.Warn("close hub", "err", err)
		}
	}
	if h.at, err = h.Hub.Listen(ctx, net.JoinHostPort(r.Listen, strconv.Itoa(r.HubPort))); err != nil {
		h.shut()
		return nil, err
	}
	return h, nil
}

// filesToLoad are the person's own, or made here.
func (r Request) filesToLoad(ctx context.Context) (root []byte, id *certs.Identity, err error) {
	root = r.Store.Root().PEM
	switch {
	case r.Root != "":
		files, err := certs.CheckFiles(r.Root, r.Certificate, r.Key)
		return files.RootPEM, files.Identity, err
	case r.Certificate != "":
		files, err := r.withOwnRoot(root)
		return root, files.Identity, err
	}
	id, err = certs.NewIdentity(ctx, certs.IdentitySpec{DeviceID: r.DeviceID})
	return root, id, err
}

// withOwnRoot checks an identity that is to go with the test hub's root.
func (r Request) withOwnRoot(root []byte) (certs.Files, error) {
	tmp, err := os.CreateTemp("", "hilrig-root-*.pem")
	if err != nil {
		return certs.Files{}, record.NewFailure(record.RigHost, "make", "temporary file", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a copy, for CheckFiles alone
	_, err = tmp.Write(root)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return certs.Files{}, record.NewFailure(record.RigHost, "write", tmp.Name(), err)
	}
	return certs.CheckFiles(tmp.Name(), r.Certificate, r.Key)
}
