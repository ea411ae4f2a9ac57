package yamltree

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Child is the value below n by its key, or by its index in decimal; nil where
// there is none.
func Child(n ast.Node, part string) ast.Node {
	if s, ok := Untagged(n).(*ast.SequenceNode); ok {
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(s.Values) {
			return s.Values[i]
		}
		return nil
	}
	for _, pair := range Pairs(n) {
		if Key(pair) == part {
			return pair.Value
		}
	}
	return nil
}

// Nearest is the value at a place, or the nearest one above it that is there.
func Nearest(n ast.Node, where []string) ast.Node {
	for _, part := range where {
		next := Child(n, part)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

// Untagged is a value without the tags before it.
func Untagged(n ast.Node) ast.Node {
	for {
		tag, ok := n.(*ast.TagNode)
		if !ok {
			return n
		}
		n = tag.Value
	}
}

// Pairs are those of a mapping, in the file's order.
func Pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := Untagged(n).(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// Key is a pair's key as the decoded value has it: without quotes.
func Key(pair *ast.MappingValueNode) string {
	if t := pair.Key.GetToken(); t != nil {
		return t.Value
	}
	return pair.Key.String()
}

// Token is where a person looks for a value: a mapping begins at its first key.
func Token(n ast.Node) *token.Token {
	if m, ok := Untagged(n).(*ast.MappingNode); ok && m.IsFlowStyle {
		return m.Start
	}
	if ps := Pairs(n); len(ps) > 0 {
		return ps[0].Key.GetToken()
	}
	if n == nil {
		return nil
	}
	return n.GetToken()
}
