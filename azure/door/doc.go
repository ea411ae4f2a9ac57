// Package door bounds what strangers can take of a hub, or of what stands in
// front of one. Connections that have not proven themselves make room for new
// ones, the oldest of the address that has most of them first: so whoever knocks
// a thousand times keeps out himself.
//
// It promises that no more connections are inside at once than it was made for,
// but for those that it has shown out and that are still leaving: where every one
// has proven itself, the next is not let in. What it does to whom is told in the
// hub's record, which also says who has proven himself.
package door
