package verb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hilrig/record"
	"hilrig/record/wording"
)

// Usage makes a usage failure of what cobra has to say.
func Usage(cmd *cobra.Command, err error) error {
	return record.NewFailure(record.Usage, err.Error(), "", nil).WithCure(cmd.CommandPath() + " --help")
}

// WrongFlag says what is wrong with a flag, with the nearest where there is no
// such flag.
func WrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return Usage(cmd, err)
	}
	var flags []string
	known := func(f *pflag.Flag) {
		if !f.Hidden {
			flags = append(flags, f.Name)
		}
	}
	cmd.Flags().VisitAll(known)
	cmd.InheritedFlags().VisitAll(known)
	near := wording.Nearest(unknown.GetSpecifiedName(), flags)
	if near == "" {
		return Usage(cmd, err)
	}
	return record.NewFailure(record.Usage, err.Error(), "", nil).WithCure("did you mean --" + near + "?")
}

// Subject says so, with the nearest, when the first word is no verb.
func Subject(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			verbs = append(verbs, c.Name())
		}
	}
	what := "verb"
	if cmd.HasParent() {
		what = "subject"
	}
	fail := record.NewFailure(record.Usage, fmt.Sprintf("no %s %q", what, args[0]), "", nil)
	if near := wording.DidYouMean(args[0], verbs); near != "" {
		return fail.WithCure(near)
	}
	return fail.WithCure("there is " + strings.Join(verbs, ", "))
}

// Exactly takes the named arguments and nothing else.
func Exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return Usage(cmd, fmt.Errorf("%s is missing", names[len(args)]))
		case len(args) > len(names):
			return Usage(cmd, fmt.Errorf("nothing is expected of %q", args[len(names)]))
		}
		if i := slices.Index(args, ""); i >= 0 {
			return Usage(cmd, fmt.Errorf("%s is empty", names[i]))
		}
		return nil
	}
}

// NoneEmpty refuses a flag that is given and empty: a variable of a script that
// was never set must not mean the default. An empty label filter is no filter.
func NoneEmpty(cmd *cobra.Command) error {
	var empty string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		if f.Name != "label-filter" && slices.Contains(values, "") {
			empty = f.Name
		}
	})
	if empty != "" {
		return Usage(cmd, fmt.Errorf("--%s is empty", empty))
	}
	return nil
}

// Required says which of the flags is missing.
func Required(cmd *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if !cmd.Flags().Changed(f) {
			return Usage(cmd, fmt.Errorf("--%s is missing", f))
		}
	}
	return nil
}

// NoAnnotations says that a program reads what they would stand in.
func NoAnnotations() error {
	return record.NewFailure(record.Usage, "read", "--annotations", errors.New("--json prints what a program reads on standard output, and nothing else")).
		WithCure("hilrig report latest --annotations")
}
