package suites

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
)

// markup is how Ginkgo colours its messages.
var markup = regexp.MustCompile(`\{\{[^}]*\}\}`)

// Words of a label filter that are labels; what stands between slashes is a
// regular expression.
var (
	expression = regexp.MustCompile(`/[^/]*/`)
	labelWord  = regexp.MustCompile(`[A-Za-z][\w-]*`)
)

// checkLabels refuses a filter with a label that no spec has and that is one
// slip from a label: "!soka" would run for a night. Labels unlike any are let
// through, for scripts that are older or newer than the catalogue.
func checkLabels(specs []fixtures.Spec, filter string) error {
	var known []string
	for _, s := range specs {
		for _, l := range s.Labels {
			if !slices.Contains(known, strings.ToLower(l)) {
				known = append(known, strings.ToLower(l))
			}
		}
	}
	for _, word := range labelWord.FindAllString(expression.ReplaceAllString(filter, ""), -1) {
		if slices.Contains(known, strings.ToLower(word)) {
			continue
		}
		if near := wording.DidYouMean(word, known); near != "" {
			return record.NewFailure(record.Usage, "read label filter", fmt.Sprintf("%q", filter), fmt.Errorf("no spec has the label %s", word)).WithCure(near)
		}
	}
	return nil
}

// parseFilter reads a label filter and says what is wrong with it in one line;
// Ginkgo says it in several, in colour, the filter first.
func parseFilter(filter string) (types.LabelFilter, error) {
	matches, err := types.ParseLabelFilter(filter)
	if err == nil {
		return matches, nil
	}
	var g types.GinkgoError
	if errors.As(err, &g) {
		said := markup.ReplaceAllString(g.Message, "")
		err = errors.New(wording.OneLine(strings.TrimPrefix(said, filter)))
	}
	return nil, record.NewFailure(record.Usage, "read label filter", fmt.Sprintf("%q", filter), err).
		WithCure("Ginkgo's label language: core && !smoke")
}
