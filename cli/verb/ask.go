package verb

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Ask puts a question that only a plain yes answers.
func (a *App) Ask(ctx context.Context, in *bufio.Reader, question string) bool {
	fmt.Fprintf(a.Out, "%s [y/N] ", question)
	line, err := readLine(ctx, in)
	if err != nil {
		fmt.Fprintln(a.Out, "no")
		return false
	}
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line)))
}

// readLine reads what a person types, unless the context ends.
func readLine(ctx context.Context, in *bufio.Reader) (string, error) {
	type typed struct {
		line string
		err  error
	}
	got := make(chan typed, 1)
	go func() {
		line, err := in.ReadString('\n')
		got <- typed{line, err}
	}()
	select {
	case t := <-got:
		return t.line, t.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
