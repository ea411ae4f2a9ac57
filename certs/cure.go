package certs

import (
	"errors"
	"fmt"
	"strings"

	"hilrig/record/wording"
)

// cures are the commands that make plain PEM of a form, for a POSIX shell: %[1]s
// is the file, %[2]s the one to make.
var cures = map[form]struct{ certificate, key string }{
	formUTF16:      both("iconv -f UTF-16 -t UTF-8 %[1]s > %[2]s"),
	formUTF16LE:    both("iconv -f UTF-16LE -t UTF-8 %[1]s > %[2]s"),
	formUTF16BE:    both("iconv -f UTF-16BE -t UTF-8 %[1]s > %[2]s"),
	formMark:       both("tail -c +4 %[1]s > %[2]s"),
	formPKCS12:     {"openssl pkcs12 -in %[1]s -clcerts -nokeys | openssl x509 -out %[2]s", "openssl pkcs12 -in %[1]s -nocerts -nodes | openssl pkey -out %[2]s"},
	formPKCS7:      {"openssl pkcs7 -print_certs -in %[1]s | openssl x509 -out %[2]s", ""},
	formPKCS7DER:   {"openssl pkcs7 -inform DER -print_certs -in %[1]s | openssl x509 -out %[2]s", ""},
	formDERCert:    {"openssl x509 -inform DER -in %[1]s -out %[2]s", ""},
	formDERKey:     {"", "openssl pkey -inform DER -in %[1]s -out %[2]s"},
	formDERSecret:  {"", "openssl pkey -inform DER -in %[1]s -out %[2]s"},
	formJKS:        both("keytool -importkeystore -srckeystore %[1]s -destkeystore %[2]s.p12 -deststoretype PKCS12"),
	formOpenSSHKey: {"", "cp -p %[1]s %[2]s && ssh-keygen -p -N '' -m PEM -f %[2]s"},
	formPutty:      {"", "puttygen %[1]s -O private-openssh -o %[2]s && ssh-keygen -p -N '' -m PEM -f %[2]s"},
	formArchive:    both("unzip %[1]s"),
	formECFirst:    {"", "openssl pkey -in %[1]s -out %[2]s"},
	formTrusted:    {"openssl x509 -in %[1]s -out %[2]s", ""},
}

func both(command string) struct{ certificate, key string } {
	return struct{ certificate, key string }{command, command}
}

// advice is what helps where no command does.
var advice = map[form]string{
	formEmpty:      "copy it once more: the program that wrote it failed, or the disk was full",
	formPage:       "download the file itself, not the page about it: curl -fL; a page that asks for a login looks so too",
	formOpenSSHPub: "give a certificate: this is only a public key (hilrig certs new makes an identity)",
	formRequest:    "give the certificate that the authority made of it",
	formDERRequest: "give the certificate that the authority made of it",
}

// rewrap makes one PEM block anew whatever became of its line ends.
const rewrap = `{ echo '-----BEGIN %[3]s-----'; sed 's/\\[rn]//g; s/-----[^-]*-----//g' %[1]s | tr -cd 'A-Za-z0-9+/=' | fold -w 64; echo; echo '-----END %[3]s-----'; } > %[2]s`

// Cure is what helps with a file that cannot be read as a certificate or a
// private key: where it is of a known form, the command that makes PEM of it,
// for a POSIX shell; empty where nothing is known to help. Err is an error of
// this package about the file at path.
func Cure(err error, kind PEMKind, path string) string {
	made := path + ".pem"
	if kind == KindKey {
		made = path + ".key"
	}
	in, out := wording.ShellWord(path), wording.ShellWord(made)
	var f *formError
	if !errors.As(err, &f) {
		switch {
		case errors.Is(err, ErrEncryptedKey):
			return fmt.Sprintf("openssl pkey -in %s -out %s", in, out)
		case errors.Is(err, ErrUnreadable):
			return fmt.Sprintf("openssl asn1parse -i -in %s shows what it is made of", in)
		}
		return ""
	}
	command := cures[f.form].certificate
	if kind == KindKey {
		command = cures[f.form].key
	}
	switch {
	case f.form == formUnbroken:
		command = fmt.Sprintf(rewrap, in, out, f.label)
	case command == "":
		return advice[f.form]
	default:
		command = fmt.Sprintf(command, in, out)
	}
	if kind == KindKey && strings.Contains(command, " > ") {
		return "(umask 077; " + command + ")" // nobody else is to read what it writes
	}
	return command
}
