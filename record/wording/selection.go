package wording

import (
	"fmt"
	"strings"

	"hilrig/record"
)

// mostPatterns bounds how many of the ids asked for are named.
const mostPatterns = 4

// Selection is what was asked of the catalogue: "5 of 90 specs: identity/*".
// Empty: the record does not say.
func Selection(s record.Selection) string {
	switch {
	case s.Catalogue == 0:
		return ""
	case s.Chosen == s.Catalogue:
		return fmt.Sprintf("all %d specs", s.Catalogue)
	}
	of := fmt.Sprintf("%d of %s: ", s.Chosen, Plural(s.Catalogue, "spec"))
	labels := ""
	if s.LabelFilter != "" {
		labels = "labels " + s.LabelFilter
	}
	switch {
	case len(s.Specs) == 0 && s.Default:
		return of + "the default selection"
	case len(s.Specs) == 0:
		return of + labels
	}
	named := s.Specs
	more := ""
	if len(named) > mostPatterns {
		more = fmt.Sprintf(" and %d more", len(named)-mostPatterns)
		named = named[:mostPatterns]
	}
	text := of + strings.Join(named, ", ") + more
	if labels != "" {
		text += " with " + labels
	}
	return text
}
