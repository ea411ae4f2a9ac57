package history

import (
	"strconv"
	"strings"
)

// Value is what was measured of a board.
type Value struct {
	Board string // its serial
	Value float64
}

// appendValue adds a board and its value to a line of them.
func appendValue(line []byte, board int64, value float64) []byte {
	if len(line) > 0 {
		line = append(line, ' ')
	}
	line = append(strconv.AppendInt(line, board, 10), ' ')
	return strconv.AppendFloat(line, value, 'g', 6, 64)
}

// values are those of a line, each board called by its serial. What is no value
// of ours is left out.
func values(line string, serials map[int64]string) (all []Value) {
	for line != "" {
		var number, value string
		number, line, _ = strings.Cut(line, " ")
		value, line, _ = strings.Cut(line, " ")
		board, boardErr := strconv.ParseInt(number, 10, 64)
		v, err := strconv.ParseFloat(value, 64)
		if serial, known := serials[board]; known && boardErr == nil && err == nil {
			all = append(all, Value{serial, v})
		}
	}
	return all
}
