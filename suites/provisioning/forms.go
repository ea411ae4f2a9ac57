package provisioning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/hw/console"
	"hilrig/record"
)

// outcome of files that are unlike the usual ones.
type outcome int

const (
	works   outcome = iota // a session with the identity in them
	refused                // no OK; the device still has what it had
	useless                // OK, and then no session
)

// try gives the device an identity in such files, and sees what comes of it.
func try(ctx context.Context, b *fixtures.Trial, what string, id *certs.Identity, files []console.File) outcome {
	got, _ := tryFor(ctx, b, what, id, files)
	return got
}

// tryFor is try, with why it came to nothing.
func tryFor(ctx context.Context, b *fixtures.Trial, what string, id *certs.Identity, files []console.File) (outcome, error) {
	b.Step("load %s", what)
	err := b.ProvisionFiles(ctx, id, files)
	if errors.Is(err, console.ErrRefused) || errors.Is(err, console.ErrNoAnswer) || errors.Is(err, console.ErrNoPrompt) {
		b.Step("refused: %v", err)
		b.Must(b.Console.Recover(ctx))
		return refused, err
	}
	b.Must(err)
	err = b.Connected(ctx)
	if err == nil {
		return works, nil
	}
	if record.ClassOf(err) != record.ClassDevice {
		b.Must(err)
	}
	b.Step("no session: %v", err)
	return useless, err
}

// notUsed is the finding of an outcome that must not be.
func notUsed(b *fixtures.Trial, what, look string) fixtures.Finding {
	return fixtures.Finding{
		Expected: "a session with " + what + ", or a refusal",
		Seen:     fmt.Sprintf("%s for %s, and then no connection", b.Type.Console.OK, what),
		Look:     look,
	}
}

// lineForm is a way to write the same PEM file.
type lineForm struct {
	name  string
	write func([]byte) []byte
}

func crlf(pem []byte) []byte    { return bytes.ReplaceAll(pem, []byte("\n"), []byte("\r\n")) }
func unended(pem []byte) []byte { return bytes.TrimRight(pem, "\r\n") }

const pkcs1Works = "a PKCS#1 key works"

// lineEndings mixes the forms first, so that a device that takes all of them
// wears its flash out by three files, not nine; what goes wrong is then looked
// for form by form. The key is in the other form at first, which shows key-forms
// without three more loads; a device that cannot read that is asked again with
// a usual one.
func lineEndings(ctx context.Context, b *fixtures.Trial) {
	before, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	id, err := b.MakeIdentity(ctx, certs.IdentitySpec{KeyForm: certs.PKCS1})
	b.Must(err)
	if try(ctx, b, mixedEnds+", the key in PKCS#1", id, mixed(b, id)) == works {
		b.Note(pkcs1Works)
		return
	}
	id, err = b.NewIdentity(ctx)
	b.Must(err)
	switch try(ctx, b, mixedEnds, id, mixed(b, id)) {
	case works:
		return
	case refused:
		restore(ctx, b, before)
		return
	}
	defer restore(ctx, b, before)
	var broken []string
	for _, form := range []lineForm{{"CRLF line ends", crlf}, {"no final newline", unended}} {
		files := b.Files(id)
		for i := range files {
			files[i].Data, files[i].Raw = form.write(files[i].Data), true
		}
		if try(ctx, b, "files with "+form.name, id, files) == useless {
			broken = append(broken, form.name)
		}
	}
	if len(broken) == 0 {
		broken = []string{"CRLF line ends without a final newline"}
	}
	b.Fail(notUsed(b, "files with "+strings.Join(broken, ", and with "), "how the firmware counts and stores line ends: PEM readers want LF or CRLF, and mbedtls_x509_crt_parse a terminating NUL"))
}

const mixedEnds = "files with CRLF line ends and without a final newline, mixed"

// mixed are the identity's files, each with other line ends.
func mixed(b *fixtures.Trial, id *certs.Identity) []console.File {
	files := b.Files(id)
	for i, write := range []func([]byte) []byte{crlf, unended, func(p []byte) []byte { return unended(crlf(p)) }} {
		files[i].Data, files[i].Raw = write(files[i].Data), true
	}
	return files
}

// longBytes is what a certificate of RSA 4096 with a long subject has at least.
const longBytes = 3000

func longCertificate(ctx context.Context, b *fixtures.Trial) {
	before, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	id, err := b.MakeIdentity(ctx, certs.IdentitySpec{Bits: 4096, LongSubject: true})
	b.Must(err)
	size := len(id.CertificatePEM)
	if size < longBytes {
		b.NotRun(fmt.Sprintf("the certificate made for it has %d bytes, and %d are asked for", size, longBytes))
	}
	if most := b.Type.Console.MaxFile; most > 0 && max(size, len(id.KeyPEM)) > most {
		b.NotApplicable(fmt.Sprintf("the type takes files of up to %d bytes (console.max_file)", most))
	}
	what := fmt.Sprintf("a long certificate of %d bytes (RSA 4096)", size)
	got := try(ctx, b, what, id, b.Files(id))
	if got != works { // one that works may stay: flash wears out
		defer restore(ctx, b, before)
	}
	b.That(got != useless, notUsed(b, what, "the size of the firmware's buffers and of its places in flash; a device that cannot take more says so, and its type console.max_file"))
}

// keyForms tries both forms of the key; the one in use has shown itself.
func keyForms(ctx context.Context, b *fixtures.Trial) {
	if b.Noted(pkcs1Works) {
		b.Step("shown by provisioning/line-endings, and by the identity before it")
		return
	}
	before, err := b.Identity(ctx)
	b.Premise(err)
	var broken []string
	for _, form := range []certs.KeyForm{certs.PKCS8, certs.PKCS1} {
		if form == certs.PKCS8 && b.Connected(ctx) == nil {
			continue // it has one
		}
		what := map[certs.KeyForm]string{certs.PKCS8: "a PKCS#8 key (BEGIN PRIVATE KEY)", certs.PKCS1: "a PKCS#1 key (BEGIN RSA PRIVATE KEY)"}[form]
		id, err := b.MakeIdentity(ctx, certs.IdentitySpec{KeyForm: form})
		b.Must(err)
		if try(ctx, b, what, id, b.Files(id)) == useless {
			broken = append(broken, what)
		}
	}
	if len(broken) == 0 {
		return
	}
	defer restore(ctx, b, before)
	if len(broken) == 2 {
		b.NotRun("there is no session with a key in either form: it is not the form; see delivery/first-message")
	}
	b.Fail(notUsed(b, strings.Join(broken, " and for "), "which forms of key the firmware's TLS library reads: BEGIN PRIVATE KEY (PKCS#8) and BEGIN RSA PRIVATE KEY (PKCS#1)"))
}

// mismatchedPair gives the certificate of one identity and the key of another.
func mismatchedPair(ctx context.Context, b *fixtures.Trial) {
	before, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	one, err := b.NewIdentity(ctx)
	b.Must(err)
	other, err := b.NewIdentity(ctx)
	b.Must(err)
	files := b.Files(one)[1:] // the root stays
	files[1].Data = other.KeyPEM
	b.Step("load a certificate, and a key that does not fit it")
	said := 0
	for _, f := range files {
		l := b.Send(ctx, f)
		if l.Err == nil {
			said++
			continue
		}
		if record.ClassOf(l.Err) != record.ClassDevice {
			b.Must(l.Err)
		}
		b.Step("refused: %v", l.Err)
		b.Must(b.Console.Recover(ctx))
	}
	defer restore(ctx, b, before)
	if said < len(files) {
		return
	}
	judgeMismatched(ctx, b, before)
}

// judgeMismatched looks at what a device does that said OK to both: nothing,
// or a session with something else than it was given.
func judgeMismatched(ctx context.Context, b *fixtures.Trial, before *certs.Identity) {
	mark := b.Mark()
	_, err := b.Reconnect(ctx)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.WarnOf(fixtures.Finding{
			Expected: "a refusal of a key that does not fit its certificate",
			Seen:     b.Type.Console.OK + " to both, and then there was no session",
			Look:     pairLook,
		})
		return
	}
	b.Must(err)
	shown, at := shownSince(b, mark, before)
	b.Fail(fixtures.Finding{
		Expected: "a refusal of a key that does not fit its certificate",
		Seen:     fmt.Sprintf("%s to both, and a session with %s", b.Type.Console.OK, shown),
		Look:     pairLook, At: at,
	})
}

// shownSince says what the device presented since the mark, and when.
func shownSince(b *fixtures.Trial, mark int, before *certs.Identity) (shown string, at time.Time) {
	if !b.Shows(hub.Handshakes) {
		return "an identity that this hub does not show", at
	}
	shown = "no handshake of its own"
	for _, e := range fullHandshakes(b, mark) {
		shown, at = "thumbprint "+e.Handshake.Thumbprints.SHA256, e.At
		if e.Handshake.Thumbprints.SHA256 == certs.ThumbprintsOf(before.Certificate).SHA256 {
			shown = "the identity before it"
		}
	}
	return shown, at
}

const pairLook = "whether the firmware checks that key and certificate are a pair when the second of them is stored (mbedtls_pk_check_pair)"

// reversed are files in the opposite order.
func reversed(files []console.File) []console.File {
	out := slices.Clone(files)
	slices.Reverse(out)
	return out
}
