package broker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/labcommand"
)

const commandWithin = 30 * time.Second

// fill puts values into the places of a command. Braces around anything else
// are the command's own.
func fill(argv []string, values map[string]string) (filled []string) {
	var pairs []string
	for name, v := range values {
		pairs = append(pairs, "{"+name+"}", v)
	}
	r := strings.NewReplacer(pairs...)
	for _, a := range argv {
		filled = append(filled, r.Replace(a))
	}
	return filled
}

// run runs a command of the lab to its end. step is what the rig file calls it.
func run(ctx context.Context, step string, argv, env []string, secrets ...string) error {
	said, err := labcommand.Run(ctx, argv, env, commandWithin, secrets...)
	if err == nil {
		return nil
	}
	if said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return record.NewFailure(record.RigHub, "run "+step, argv[0], err).WithCure("run the command by hand")
}
