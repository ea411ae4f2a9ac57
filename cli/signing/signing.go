package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"hilrig/cli/named"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/record/wording"
)

// Flags are how something is to be signed: by one of these ways.
type Flags struct {
	Key     string
	KeyEnv  string
	command []string
	Public  string
}

// Register adds the flags; of says what is signed.
func (s *Flags) Register(fl *pflag.FlagSet, of string) {
	fl.StringVar(&s.Key, "key", "", "private key of the "+of+", PEM (Ed25519 or ECDSA)")
	fl.StringVar(&s.KeyEnv, "key-env", "", "environment variable that holds this key")
	fl.StringArrayVar(&s.command, "sign-command", nil, "program that signs in place of a key, then its arguments (repeatable): it gets the bytes on standard input and prints the signature")
	fl.StringVar(&s.Public, "sign-public", "", "public key of --sign-command, PEM: a signature that is not of it is refused")
}

// WithoutSigner are the arguments of a run as its record keeps them: what a
// program that signs was given may be its password.
func WithoutSigner(args []string) []string {
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

// Signer is what was asked for; nil where nothing is to be signed. With is the
// flag that asks for a signature; a program that signs gets none of the secret
// variables.
func (s *Flags) Signer(ctx context.Context, asked bool, with string, secret []string) (dsse.Signer, error) {
	ways := 0
	for _, given := range []bool{s.Key != "", s.KeyEnv != "", len(s.command) > 0} {
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
	case s.Public != "" && len(s.command) == 0:
		return nil, refuse("--sign-public goes with --sign-command")
	case s.Key != "":
		text, err := named.Text("signing key", s.Key)
		if err != nil {
			return nil, err
		}
		return dsse.KeySigner(s.Key, text)
	case s.KeyEnv != "":
		if !variableName.MatchString(s.KeyEnv) {
			return nil, refuse("--key-env is given something else than a variable's name, which is not shown: it may be the key")
		}
		return dsse.KeySigner("$"+s.KeyEnv, []byte(os.Getenv(s.KeyEnv)))
	}
	sign := func(message []byte) (dsse.Signature, error) {
		return signBy(ctx, s.command, record.Environ(secret), message)
	}
	if s.Public == "" {
		return sign, nil
	}
	keys, err := named.Keys(s.Public)
	if err != nil {
		return nil, err
	}
	return dsse.Held(sign, keys...), nil
}

// variableName is the name of an environment variable, and no longer than a
// person would make one.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

// signBound bounds a command that signs: a person may have to touch a token.
const signBound = 2 * time.Minute

// mostSignature is more than any signature has.
const mostSignature = 4 << 10

// signBy has a command sign. What it prints is no part of an error: a signer that
// is called wrongly may print its key.
func signBy(ctx context.Context, argv, env []string, message []byte) (dsse.Signature, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, signBound, fmt.Errorf("no end within %s", signBound))
	defer cancel()
	var answer signature
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the caller's own command; it may ask at the terminal
	cmd.Stdin, cmd.Stdout, cmd.Env, cmd.WaitDelay = bytes.NewReader(message), &answer, env, time.Second
	err := cmd.Run()
	switch {
	case answer.beyond:
		err = fmt.Errorf("it printed more than the %d bytes that a signature may have", mostSignature)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err == nil:
		err = dsse.CheckShape(answer.bytes)
	}
	if err != nil {
		return dsse.Signature{}, record.NewFailure(record.RigHost, "sign by", argv[0], err)
	}
	return dsse.Signature{Sig: answer.bytes}, nil
}

// signature takes what a signer prints, which may have no end.
type signature struct {
	bytes  []byte
	beyond bool
}

func (s *signature) Write(b []byte) (int, error) {
	if len(s.bytes)+len(b) > mostSignature {
		s.beyond = true
		return 0, errors.New("too much")
	}
	s.bytes = append(s.bytes, b...)
	return len(b), nil
}
