// Package yamltree finds what stands where in the tree of a YAML file that a
// person wrote, bounds how deep the tree may be, and reads a file strictly by its
// schema. It knows no kind of file.
package yamltree
