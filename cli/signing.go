package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/record/wording"
)

// signing is how something is to be signed: by one of these ways.
type signing struct {
	key     string
	keyEnv  string
	command []string
}

// register adds the flags; of says what is signed.
func (s *signing) register(fl *pflag.FlagSet, of string) {
	fl.StringVar(&s.key, "key", "", "private key of the "+of+", PEM (Ed25519 or ECDSA)")
	fl.StringVar(&s.keyEnv, "key-env", "", "environment variable that holds this key")
	fl.StringArrayVar(&s.command, "sign-command", nil, "program that signs in place of a key, then its arguments (repeatable): it gets the bytes on standard input and prints the signature")
}

// withoutSigner are the arguments of a run as its record keeps them: what a
// program that signs was given may be its password.
func withoutSigner(args []string) []string {
	const flag = "--sign-command"
	kept := slices.Clone(args)
	for i, arg := range kept {
		switch {
		case strings.HasPrefix(arg, flag+"="):
			kept[i] = flag + "=…"
		case i > 0 && kept[i-1] == flag:
			kept[i] = "…"
		}
	}
	return kept
}

// signer is what was asked for; nil where nothing is to be signed. With is the
// flag that asks for a signature; a program that signs gets none of the secret
// variables.
func (s *signing) signer(ctx context.Context, asked bool, with string, secret []string) (dsse.Signer, error) {
	ways := 0
	for _, given := range []bool{s.key != "", s.keyEnv != "", len(s.command) > 0} {
		if given {
			ways++
		}
	}
	refuse := func(text string) error {
		return record.NewFailure(record.Usage, "sign", "", errors.New(text)).WithCure("--key, --key-env or --sign-command goes with " + with)
	}
	switch {
	case !asked && ways == 0:
		return nil, nil
	case !asked:
		return nil, refuse("there is nothing to be signed")
	case ways != 1:
		return nil, refuse(fmt.Sprintf("%s to sign with; one is needed", wording.Plural(ways, "way")))
	case s.key != "":
		text, err := readSmall("signing key", s.key)
		if err != nil {
			return nil, err
		}
		return dsse.KeySigner(s.key, text)
	case s.keyEnv != "":
		return dsse.KeySigner("$"+s.keyEnv, []byte(os.Getenv(s.keyEnv)))
	}
	return func(message []byte) (dsse.Signature, error) {
		return signBy(ctx, s.command, record.Environ(secret), message)
	}, nil
}

// signBound bounds a command that signs: a person may have to touch a token.
const signBound = 2 * time.Minute

func signBy(ctx context.Context, argv, env []string, message []byte) (dsse.Signature, error) {
	ctx, cancel := context.WithTimeout(ctx, signBound)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the caller's own command
	cmd.Stdin, cmd.Env = bytes.NewReader(message), env
	cmd.WaitDelay = time.Second
	sig, err := cmd.Output()
	if err == nil && len(sig) == 0 {
		err = errors.New("it printed no signature")
	}
	if err != nil {
		return dsse.Signature{}, record.NewFailure(record.RigHost, "sign by", argv[0], err)
	}
	return dsse.Signature{Sig: sig}, nil
}
