// Package schema holds the JSON schemas (draft 2020-12) of what hilrig writes
// for scripts: event, record, list, compare, verdict, pruned and seal. They are for editors and consumers; a
// test holds real values against them.
package schema
