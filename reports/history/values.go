package history

import (
	"fmt"
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

// values are those of a line, each board called by its serial.
func values(line string, serials map[int64]string) (all []Value, err error) {
	for line != "" {
		var number, value string
		number, line, _ = strings.Cut(line, " ")
		value, line, _ = strings.Cut(line, " ")
		board, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("values of boards: %w", err)
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("values of boards: %w", err)
		}
		all = append(all, Value{serials[board], v})
	}
	return all, nil
}
