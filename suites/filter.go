package suites

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"hilrig/record"
)

// markup is how Ginkgo colours its messages.
var markup = regexp.MustCompile(`\{\{[^}]*\}\}`)

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
		err = errors.New(strings.Join(strings.Fields(strings.TrimPrefix(said, filter)), " "))
	}
	return nil, record.NewFailure(record.Usage, "read label filter", fmt.Sprintf("%q", filter), err).
		WithCure("Ginkgo's label language: core && !smoke")
}
