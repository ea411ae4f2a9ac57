// Package yamltree finds what stands where in the tree of a YAML file that a
// person wrote, and bounds how deep the tree may be. It knows no kind of file.
package yamltree
